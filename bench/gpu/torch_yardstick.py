"""PyTorch beside palate, for bench/gpu: random DINOv2 of the published shapes,
class token only as result. Arguments: device, models, largest batch, seconds."""
import json, sys, time
import torch
from torch import nn
from torch.nn import functional as F

SIZES = {"S": (384, 12, 6), "B": (768, 12, 12), "L": (1024, 24, 16)}


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.n1, self.n2 = heads, nn.LayerNorm(d, 1e-6), nn.LayerNorm(d, 1e-6)
        self.qkv, self.proj, self.up, self.down = nn.Linear(d, 3 * d), nn.Linear(d, d), nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.s1, self.s2 = nn.Parameter(torch.full((d,), .5)), nn.Parameter(torch.full((d,), .5))

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        x = x + self.s1 * self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))
        return x + self.s2 * self.down(F.gelu(self.up(self.n2(x))))


class DINOv2(nn.Module):
    def __init__(self, d, depth, heads, side):
        super().__init__()
        self.patch, self.cls = nn.Conv2d(3, d, 14, 14), nn.Parameter(torch.zeros(1, 1, d))
        self.pos = nn.Parameter(torch.randn(1, 1 + (side // 14) ** 2, d) * .02)
        self.blocks, self.norm = nn.Sequential(*(Block(d, heads) for _ in range(depth))), nn.LayerNorm(d, 1e-6)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        return self.norm(self.blocks(torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos))[:, 0]


def rate(model, x, seconds, wait):
    for _ in range(3):
        model(x)
    wait()
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        model(x)
        n += len(x)
        wait()
    return n / (time.perf_counter() - start)


device, models, largest, seconds = torch.device(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3]), float(sys.argv[4])
wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
torch.set_float32_matmul_precision("high")
for name in models:
    spec, _, kind = name.partition(":")
    letter, side = spec.split("@")
    if kind not in ("", "fp16"):
        continue
    dtype = torch.float16 if kind else torch.float32
    model = DINOv2(*SIZES[letter], int(side)).to(device, dtype).eval()
    for form, run in ("eager", model), ("compiled", torch.compile(model)):
        batch, got = 1, []
        with torch.inference_mode():
            while batch <= largest:
                try:
                    x = torch.randn(batch, 3, int(side), int(side), device=device, dtype=dtype)
                    got.append({"batch": batch, "images_per_second": rate(run, x, seconds, wait)})
                except torch.OutOfMemoryError:
                    break
                batch *= 2
        print(json.dumps({"name": name, "form": form, "torch": torch.__version__, "batches": got}), flush=True)
