"""The prices of models, from a file that Inspect can read too. A model without a price is unknown, never free."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from raft.formats.yaml_file import read_model

OWN_MACHINE = {"local", "hf", "vllm", "sglang", "llama-cpp-python", "ollama", "none", "mockllm"}
"""The providers that run on this machine: they cost time, but no money."""


HOW = (
    "write `<provider/model>: {input: 0.15, output: 0.60}`, US$ per million tokens, a line for each, into a YAML file and "
    "give it with --prices"
)
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def dollars(usd: float) -> str:
    """An amount of US$ as `1.25`; a small one with up to four decimals, as `0.0104`, the least as `0.0001`, never as 0."""
    if usd == 0 or usd >= 1:
        return f"{usd:,.2f}"
    whole, _, decimals = f"{max(usd, 0.0001):.4f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


class Price(BaseModel):
    """The price of a model in US$ per million tokens.

    The keys are those of Inspect's `--model-cost-config`, and `training` for fine-tuning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars
    output: Dollars = 0.0
    input_cache_write: Dollars | None = None
    input_cache_read: Dollars | None = None
    training: Dollars | None = None

    def of(self, read: int, written: int, cache_written: int = 0, cache_read: int = 0) -> float:
        """The cost in US$ of the tokens. Cached tokens cost as input where they have no price of their own."""
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
    """Whether a model costs no money, because its provider runs on this machine."""
    return model.partition("/")[0] in OWN_MACHINE


def price_of(model: str, prices: Prices) -> Price | None:
    """The price of a model; None where it is not known.

    A tuned model, `openai/ft:<base>:<owner>`, has the price with the key `openai/ft:<base>`.
    """
    if is_free(model):
        return FREE
    # a key must match up to a colon: the price of gpt-x is not that of gpt-x-mini
    named = [key for key in prices if model == key or model.startswith(f"{key}:")]
    return prices[max(named, key=len)] if named else None


def training_price(base: str, prices: Prices) -> float | None:
    """The price of fine-tuning `base` in US$ per million tokens: as given, else OpenAI's list price, else None."""
    from raft.tuning.openai_format import known

    price = price_of(base, prices)
    if price is not None and price.training is not None:
        return price.training
    row = known(base.removeprefix("openai/")) if base.startswith("openai/") else None
    return row[1] if row else None
