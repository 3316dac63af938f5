"""What models cost: a file of prices, as Inspect reads it too. What has no price there is unknown, and never free."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from raft.yaml_file import read_model

OWN_MACHINE = {"local", "hf", "vllm", "sglang", "llama-cpp-python", "ollama", "none", "mockllm"}
"""Providers that ask nobody else: what they do costs time, and no money."""


HOW = (
    "write `<provider/model>: {input: 0.15, output: 0.60}`, US$ per million tokens, a line for each, into a YAML file and "
    "give it with --prices"
)
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(BaseModel):
    """US$ per million tokens. The keys are those of Inspect's `--model-cost-config`, and `training` for fine-tuning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars
    output: Dollars = 0.0
    input_cache_write: Dollars | None = None
    input_cache_read: Dollars | None = None
    training: Dollars | None = None

    def of(self, read: int, written: int, cache_written: int = 0, cache_read: int = 0) -> float:
        """US$ for so many tokens; what the provider caches costs as input where it has no price of its own."""
        caching = (
            (self.input if price is None else price) * tokens
            for price, tokens in ((self.input_cache_write, cache_written), (self.input_cache_read, cache_read))
        )
        return (self.input * read + self.output * written + sum(caching)) / 1e6


FREE = Price(input=0.0, input_cache_write=0.0, input_cache_read=0.0, training=0.0)
Prices = Mapping[str, Price]
NO_PRICES: Prices = MappingProxyType({})


def load_prices(path: Path) -> Prices:
    """Read a file of prices. Raises DataError with everything that is wrong in it."""
    return read_model(path, dict[str, Price], hint=HOW)


def is_free(model: str) -> bool:
    """Whether nobody has to be paid for what it does."""
    return model.partition("/")[0] in OWN_MACHINE


def price_of(model: str, prices: Prices) -> Price | None:
    """The price of a model; a tuned one, `openai/ft:<base>:<owner>`, goes by the key `openai/ft:<base>`. None: unknown."""
    if is_free(model):
        return FREE
    # no shorter start will do: gpt-x is not gpt-x-mini
    named = [key for key in prices if model == key or model.startswith(f"{key}:")]
    return prices[max(named, key=len)] if named else None


def training_price(base: str, prices: Prices) -> float | None:
    """US$ per million tokens of fine-tuning `base`: as given, or OpenAI's list price where that is known."""
    from raft.tuning.openai_format import known

    price = price_of(base, prices)
    if price is not None and price.training is not None:
        return price.training
    row = known(base.removeprefix("openai/")) if base.startswith("openai/") else None
    return row[1] if row else None
