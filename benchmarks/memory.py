"""The peak memory of a process and all it starts, by looking again and again."""

import subprocess
import threading
import time

import psutil


def finished(process: "subprocess.Popen[bytes]", *, every_s: float) -> tuple[int, float]:
    """Wait for the process, looking `every_s`; gives its exit status and its process tree's peak of memory in GiB."""
    peak = [0]
    watcher = threading.Thread(target=_sample, args=(process, peak, every_s), daemon=True)
    watcher.start()
    status = process.wait()
    watcher.join()
    return status, peak[0] / 2**30


def _sample(process: "subprocess.Popen[bytes]", peak: list[int], every_s: float) -> None:
    while process.poll() is None:
        total = 0
        try:
            root = psutil.Process(process.pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for member in tree:
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], total)
        time.sleep(every_s)
