"""Runs a network with onnxruntime."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from backends.errors import NotConfigured
from backends.settings import require_package
from backends.vision.memory import is_out_of_memory
from backends.vision.model_files import VisionModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


class Engine:
    """A network that is loaded; `channels` is 1 or 3, `batch` the only size of a batch if it has a fixed one."""

    def __init__(self, model: VisionModel, threads: int) -> None:
        """Load the network and run it once; `NotConfigured` says why it can't classify pictures."""
        require_package("onnxruntime", extra="vision")
        self.model = model
        self._session = _session(model, threads)
        (entry,) = _single_input(self._session, model)
        self._input, self._type = entry.name, entry.type
        batch, channels, *size = entry.shape
        self.batch = batch if isinstance(batch, int) else None
        self.channels = channels if isinstance(channels, int) else 3
        wanted = model.preprocessing.size
        if self.channels not in (1, 3) or any(
            isinstance(has, int) and has != want for has, want in zip(size, wanted, strict=True)
        ):
            raise _wrong(model, f"takes {entry.shape}, and its preprocessor_config.json makes {wanted} of a picture")
        self.labels = self._check_outputs()

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a row of outputs for each input; blocks."""
        import numpy as np

        if "float16" in self._type:
            inputs = inputs.astype(np.float16)
        count = len(inputs)
        if self.batch:
            rest = -count % self.batch
            inputs = np.concatenate([inputs, np.zeros((rest, *inputs.shape[1:]), inputs.dtype)])
            parts = [self._run(part) for part in np.split(inputs, len(inputs) // self.batch)]
        else:
            parts = [self._run(inputs)]
        return np.concatenate(parts)[:count].astype(np.float32)

    def _run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        outputs: NDArray[Any] = self._session.run(None, {self._input: inputs})[0]
        return outputs

    def _check_outputs(self) -> tuple[str, ...]:
        """Return the labels, after one run."""
        import numpy as np

        try:
            outputs = self.logits(np.zeros((1, self.channels, *self.model.preprocessing.size), np.float32))
        except Exception as error:
            raise _failure(self.model, error, "fails") from error
        labels = self.model.labels or tuple(f"LABEL_{number}" for number in range(outputs.shape[-1]))
        if outputs.shape != (1, len(labels)):
            raise _wrong(self.model, f"has outputs of the shape {outputs.shape} for {len(labels)} labels")
        return labels


def _session(model: VisionModel, threads: int) -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when it's loaded
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for the next picture in a loop would take the processor from decoding it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [each for each in PROVIDERS if each in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(model.network), options, providers=providers)
    except Exception as error:  # onnxruntime has an error class of its own for each reason
        raise _failure(model, error, "can't be loaded") from error


def _single_input(session: Any, model: VisionModel) -> list[Any]:
    inputs: list[Any] = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise _wrong(model, f"takes {len(inputs)} inputs, the first of the shape {inputs[0].shape}")
    return inputs


def _failure(model: VisionModel, error: Exception, what: str) -> NotConfigured:
    if is_out_of_memory(error):
        remedy = "Give it more memory, or choose a smaller network, such as onnx/model_quantized.onnx."
        return NotConfigured(f"There is not enough memory for the network of {model.name}.", remedy)
    return _wrong(model, f"{what} ({type(error).__name__})")


def _wrong(model: VisionModel, what: str) -> NotConfigured:
    return NotConfigured(
        f"The network of {model.name} {what}.", "Use the ONNX export of an image classifier, such as Xenova/resnet-50."
    )
