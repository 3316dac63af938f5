"""RAFT, the method: an agent that answers as one specific person, from their writings and interviews."""
