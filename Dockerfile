FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -o /palate ./cmd/palate

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 palate && install -d -o palate /collection
COPY --from=build /palate /usr/local/bin/palate
USER palate
ENV PALATE_DATA=/collection PALATE_CACHE=/collection/cache PALATE_MODELS=/collection/models HF_HOME=/collection/cache/huggingface
VOLUME /collection
EXPOSE 7252
# Whether it lives, not whether Qdrant does: a restart would mend nothing there. The first start fetches weights.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15m --retries=3 CMD ["palate", "health"]
ENTRYPOINT ["palate"]
CMD ["serve", "--addr", "0.0.0.0:7252"]
