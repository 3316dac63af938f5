from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from raft.models.engine.kv_cache import Room, cache_for


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_room_holds_what_transformers_own_layer_holds(data: st.DataObject) -> None:
    room, own = Room(tokens=40), DynamicLayer()
    torch.manual_seed(0)
    rows = data.draw(st.integers(1, 4))

    def both(tokens: int) -> None:
        keys, values = torch.randn(rows, 2, tokens, 3), torch.randn(rows, 2, tokens, 3)
        mine, theirs = room.update(keys, values), own.update(keys, values)
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
        assert room.get_seq_length() == own.get_seq_length()

    both(data.draw(st.integers(1, 8)))
    if rows == 1:
        rows = data.draw(st.integers(1, 5))
        for layer in (room, own):
            layer.batch_repeat_interleave(rows)
    for _ in range(data.draw(st.integers(1, 6))):
        both(data.draw(st.integers(1, 4)))
        kept = sorted(data.draw(st.sets(st.integers(0, rows - 1), min_size=1)))
        rows = len(kept)
        for layer in (room, own):
            layer.batch_select_indices(torch.tensor(kept))


def test_models_that_do_not_attend_to_everything_keep_their_own_cache() -> None:
    plain = SimpleNamespace(num_hidden_layers=2, layer_types=None, sliding_window=None)
    assert [type(layer) for layer in cache_for(plain, 8).layers] == [Room, Room]
    from transformers import MistralConfig

    assert isinstance(cache_for(MistralConfig(sliding_window=16), 8), DynamicCache)


def test_a_full_room_is_not_silently_cut() -> None:
    room = Room(tokens=2)
    room.update(torch.zeros(1, 1, 2, 1), torch.zeros(1, 1, 2, 1))
    with pytest.raises(RuntimeError):
        room.update(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1))
