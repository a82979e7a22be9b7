# docker build -t videopure . && docker run --rm -v "$PWD":/clips -w /clips videopure purify clip.mp4 purified.mp4
FROM python:3.12-slim
COPY . /videopure
RUN pip install --no-cache-dir -c /videopure/constraints.txt torch
RUN pip install --no-cache-dir -c /videopure/constraints.txt "/videopure[widgets]"
ENTRYPOINT ["videopure"]
CMD ["--help"]
