# How Node runs the agent on a small machine: the working agent stays under 80 MB, some 30 of them its own. What waits
# for disks and networks gains nothing from optimised code, which takes 8 MB (`npm run bench -- main.ingest main.memory`).
export MALLOC_ARENA_MAX=1
export UV_THREADPOOL_SIZE=2
flags='--disable-warning=ExperimentalWarning --max-semi-space-size=1 --max-old-space-size=96 --optimize-for-size --v8-pool-size=1 --no-maglev --no-sparkplug --no-opt --heap-growing-percent=10'
