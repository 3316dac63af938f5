"""The commands of `raft`, one module each; heavy imports happen inside them."""
