"""The same steps in PyTorch: python3 torch_yardstick.py S@224:8,B@224:2 ROUNDS.

Forward, backward and AdamW of timm's DINOv2 with random weights, eager float32
and under bfloat16 autocast; one JSON line each.
"""
import json
import statistics
import sys
import time

import timm
import torch

NAMES = {"S": "vit_small_patch14_dinov2", "B": "vit_base_patch14_dinov2", "L": "vit_large_patch14_dinov2"}

for spec in sys.argv[1].split(","):
    model, batch = spec.split(":")
    letter, side = model.split("@")
    net = timm.create_model(NAMES[letter], num_classes=2, img_size=int(side)).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5)
    pixels, labels = torch.randn(int(batch), 3, int(side), int(side)), torch.arange(int(batch)) % 2
    for bf16 in (False, True):
        seconds = []
        for _ in range(int(sys.argv[2]) + 1):
            begun = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = torch.nn.functional.cross_entropy(net(pixels), labels)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
            optimizer.step()
            seconds.append(time.perf_counter() - begun)
        print(json.dumps({"model": model, "batch": int(batch), "how": "torch %s, eager %s" % (torch.__version__, "bfloat16 autocast" if bf16 else "float32"),
                          "step_seconds": statistics.median(seconds[1:])}), flush=True)
