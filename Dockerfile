# syntax=docker/dockerfile:1
# docker build -t videopure .
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD":/clips videopure purify clip.mp4 purified.mp4
# For a GPU: build with --build-arg TORCH="" and run with --gpus all.
FROM python:3.12-slim
ARG TORCH=https://download.pytorch.org/whl/cpu
RUN --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    pip install --no-cache-dir -c /src/constraints.txt ${TORCH:+--extra-index-url "$TORCH"} torch
RUN --mount=type=bind,target=/src,rw \
    pip install --no-cache-dir -c /src/constraints.txt "/src[text]"
# whoever runs it, caches find a place
ENV HOME=/tmp
USER nobody
WORKDIR /clips
ENTRYPOINT ["videopure"]
CMD ["--help"]
