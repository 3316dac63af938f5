"""A model that is being tuned by LoRA: its exact weights, the frozen layers under them, and the loss of a sample."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from raft.models.cores import Result
from raft.models.local import at_a_time, harmless, render
from raft.models.weights import quiet
from raft.types import TrainingSample

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
KEPT_BYTES = 256 * 2**20
"""The greatest size of what is kept of the frozen layers' outputs; samples beyond it pass those layers each time."""


LONG = 12_000
"""The tokens of a sample times the tuned layers, above which each layer is run once more for its gradient.

What a layer keeps for the gradient takes about 75 kB a token, in a model of 135 million parameters.
"""


Tokens = tuple[tuple[int, ...], int]
"""The tokens of a sample, and how many of them are its prompt."""


def tokens_of(tokenizer: Any, sample: TrainingSample) -> Tokens:
    """Return the tokens of a sample: its prompt, its answer, and the mark that ends an answer."""
    ids = tokenizer(render(tokenizer, sample.prompt), add_special_tokens=False).input_ids
    answer = tokenizer(harmless(tokenizer, sample.answer), add_special_tokens=False).input_ids
    return (*ids, *answer, tokenizer.eos_token_id), len(ids)


def answer_tokens(samples: Sequence[Tokens]) -> int:
    """Return how many tokens the answers of the samples have."""
    return sum(len(ids) - prompt for ids, prompt in samples)


def adapter_config(model: Any, rank: int, alpha: int, layers: int | None) -> LoraConfig:
    """Return the configuration of an adapter of a rank for the top `layers` layers of a model; None takes all layers."""
    count = model.config.num_hidden_layers
    named = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=TARGETS if named.issuperset(TARGETS) else "all-linear",
        layers_to_transform=list(range(max(0, count - layers), count)) if layers else None,
        task_type="CAUSAL_LM",
    )


class Learner:
    """A model with a new adapter, which learns samples.

    The optimizer steps the adapter's weights in f32, `exact`, because in bf16 most small steps would be rounded away. The
    model itself reads them in its own type: with f32 weights each tuned layer would copy all that it reads to f32.

    With `again`, each sample is read several times. The frozen layers under the tuned ones never change, so a sample then
    passes them once, and their output is kept.
    """

    def __init__(self, base: Any, config: LoraConfig, again: bool = False) -> None:
        with quiet():
            self.model = get_peft_model(base, config)
        self._inner = self.model.get_base_model()
        parameters = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.exact = {name: p.detach().float().clone().requires_grad_() for name, p in parameters.items()}
        self._rounded = parameters
        for p in parameters.values():
            p.data = p.data.to(self._inner.dtype)
        tuned = config.layers_to_transform
        self._depth = len(tuned or ()) or self._inner.config.num_hidden_layers
        self._frozen = _Frozen(self._inner, min(tuned)) if again and tuned and _alike(self._inner) else None
        self.train()

    def train(self) -> None:
        """Have the tuned layers drop out what their model's settings say, if anything; frozen layers drop out nothing."""
        self.model.train()
        if self._frozen:
            self._frozen.lower.eval()

    def learn(self, batch: Sequence[Tokens]) -> float:
        """Add the gradients of the batch's mean loss to the exact weights, and return that loss, in nats a token.

        Each sample is taken by itself: without padding that is as fast on a CPU as a batch. The samples of a small model
        are taken side by side. Their gradients are added in their order.
        """
        size = answer_tokens(batch)
        weights = list(self._rounded.values())

        def taught(sample: Tokens, below: torch.Tensor | None) -> tuple[float, tuple[torch.Tensor, ...]]:
            loss = self._loss(sample, below) / size
            return float(loss.detach()), torch.autograd.grad(loss, weights)

        mean = 0.0
        with self._slim(max(len(tokens) for tokens, _ in batch)):
            for loss, gradients in self._each(taught, batch):
                mean += loss
                for exact, found in zip(self.exact.values(), gradients, strict=True):
                    exact.grad = found.float() if exact.grad is None else exact.grad.add_(found)
        return mean

    @contextmanager
    def _slim(self, tokens: int) -> Iterator[None]:
        """Have the layers keep little for the gradient of long samples inside the `with` block; the gradient is the same."""
        if tokens * self._depth <= LONG or not self._inner.supports_gradient_checkpointing:
            yield
            return
        self._inner.gradient_checkpointing_enable({"use_reentrant": False})
        try:
            yield
        finally:
            self._inner.gradient_checkpointing_disable()

    def _each(
        self, work: Callable[[Tokens, torch.Tensor | None], Result], samples: Sequence[Tokens]
    ) -> Iterator[Result]:
        """Yield what `work` returns for each sample and what the frozen layers make of it, where that is kept."""
        # what is dropped is drawn from one random stream, so threads would draw in any order
        at = map if self.model.training and _drops_out(self._inner) else at_a_time(self._inner)
        if not self._frozen or not self._frozen.fits(samples[0]):
            yield from at(lambda sample: work(sample, None), samples)
            return
        below = self._frozen.outputs(samples)
        with self._frozen.passed():  # for all samples at once, since it changes the model that they share
            yield from at(lambda both: work(*both), list(zip(samples, below, strict=True)))

    def take_over(self, weights: Mapping[str, torch.Tensor] | None = None) -> None:
        """Have the model read the exact weights as they are now or, where they are given, as in `weights`."""
        with torch.no_grad():
            for name, exact in self.exact.items():
                if weights:
                    exact.copy_(weights[name])
                self._rounded[name].copy_(exact)

    def save(self, folder: Any) -> None:
        """Write the adapter with its exact weights, as peft reads it. The model cannot learn after this."""
        for name, exact in self.exact.items():
            self._rounded[name].data = exact.detach()
        with quiet():
            self.model.save_pretrained(folder)

    def _loss(self, sample: Tokens, below: torch.Tensor | None) -> torch.Tensor:
        """Return the summed cross-entropy of the tokens of the sample's answer, in nats.

        Logits are computed for those tokens alone: those of all tokens would be a fifth of the work and most of the memory.
        """
        tokens, prompt = sample
        ids = _ids(sample, self._inner)
        read = {"input_ids": ids} if below is None else {"inputs_embeds": below}
        logits = self._inner(**read, use_cache=False, logits_to_keep=len(tokens) - prompt + 1).logits
        return torch.nn.functional.cross_entropy(logits[0, :-1].float(), ids[0, prompt:], reduction="sum")

    def mean_loss(self, samples: Sequence[Tokens]) -> float:
        """Return the mean loss over all tokens of all answers, in nats a token."""

        def measured(sample: Tokens, below: torch.Tensor | None) -> float:
            with torch.no_grad():
                return float(self._loss(sample, below))

        self.model.eval()
        total = sum(self._each(measured, samples))
        self.train()
        return total / answer_tokens(samples)


def _ids(sample: Tokens, inner: Any) -> torch.Tensor:
    return torch.tensor([sample[0]], device=inner.device)


def _drops_out(inner: Any) -> bool:
    """Return whether a model's own settings have it drop out some of what it reads while it learns."""
    return any(value for name, value in inner.config.to_dict().items() if name.endswith(("dropout", "pdrop")))


def _alike(inner: Any) -> bool:
    """Return whether all layers are of one type and stand in a list, so that they can be run apart."""
    kinds = set(getattr(inner.config, "layer_types", None) or ["full_attention"])
    parts = (
        isinstance(getattr(inner.base_model, "layers", None), torch.nn.ModuleList),
        hasattr(inner.base_model, "norm"),
    )
    return len(kinds) == 1 and all(parts)


class _Frozen:
    """The layers of a model under the lowest tuned one, and what they make of each sample."""

    def __init__(self, inner: Any, lowest: int) -> None:
        self._inner, self._decoder = inner, inner.base_model
        self.lower, self._upper = self._decoder.layers[:lowest], self._decoder.layers[lowest:]
        self._kept: dict[Tokens, torch.Tensor] = {}
        self._room = KEPT_BYTES
        self._fits: bool | None = None

    def fits(self, sample: Tokens) -> bool:
        """Return whether both parts together give what the whole model gives for a sample, bit for bit; looked at once.

        Some families of models do more between embeddings and layers, or read a layer's number.
        """
        if self._fits is None:
            ids = _ids(sample, self._inner)
            training = self._inner.training
            self._inner.eval()
            with torch.no_grad():
                whole = self._decoder(input_ids=ids, use_cache=False).last_hidden_state
                with self._below():
                    below = self._decoder(input_ids=ids, use_cache=False).last_hidden_state
                with self.passed():
                    parts = self._decoder(inputs_embeds=below, use_cache=False).last_hidden_state
            self._inner.train(training)
            self.lower.eval()
            self._fits = torch.equal(whole, parts)
        return self._fits

    def outputs(self, samples: Sequence[Tokens]) -> list[torch.Tensor]:
        """Return what the frozen layers make of each sample; it is kept as long as there is room."""

        def made(sample: Tokens) -> torch.Tensor:
            with torch.no_grad():
                hidden: torch.Tensor = self._decoder(
                    input_ids=_ids(sample, self._inner), use_cache=False
                ).last_hidden_state
                return hidden

        new = [sample for sample in dict.fromkeys(samples) if sample not in self._kept]
        with self._below():
            found = dict(zip(new, at_a_time(self._inner)(made, new), strict=True)) if new else {}
        for sample, below in found.items():
            if below.nbytes <= self._room:
                self._kept[sample] = below
                self._room -= below.nbytes
        return [found[sample] if sample in found else self._kept[sample] for sample in samples]

    def passed(self) -> AbstractContextManager[None]:
        """Have the decoder run the tuned layers alone, inside a `with` block: it is given what the frozen ones made."""
        return self._running(self._upper)

    def _below(self) -> AbstractContextManager[None]:
        return self._running(self.lower, norm=torch.nn.Identity())

    @contextmanager
    def _running(self, layers: torch.nn.ModuleList, norm: torch.nn.Module | None = None) -> Iterator[None]:
        """Have the decoder run these layers alone and, where one is given, another last norm."""
        decoder = self._decoder
        before = decoder.layers, decoder.norm
        decoder.layers, decoder.norm = layers, norm or decoder.norm
        try:
            yield
        finally:
            decoder.layers, decoder.norm = before
