# outgrow on a processor:
#   docker build -t outgrow .
#   docker run --rm -v "$PWD:/work" -v outgrow-store:/store outgrow learn votes.csv --votes a,b
# On a GPU: docker build --build-arg TORCH_INDEX= -t outgrow . and docker run --gpus all ...
FROM python:3.13-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG EXTRAS=hub,images,lora,server,verify

COPY constraints.txt pyproject.toml README.md LICENSE /source/
COPY src /source/src
# torch first, from the index that has it without CUDA.
RUN if [ -n "$TORCH_INDEX" ]; then \
        pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" -c /source/constraints.txt torch; \
    fi \
    && pip install --no-cache-dir -c /source/constraints.txt "/source[$EXTRAS]" \
    && rm -r /source \
    && useradd --create-home outgrow \
    && mkdir /work /store && chown outgrow /work /store

USER outgrow
ENV OUTGROW_STORE=/store
VOLUME /store
WORKDIR /work
ENTRYPOINT ["outgrow"]
CMD ["--help"]
