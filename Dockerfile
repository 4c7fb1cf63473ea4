# One image per service from one file: `docker build --build-arg SERVICE=ingress .`
# SERVICE is the folder of a service, or "simulator".

FROM node:24-bookworm-slim AS build
WORKDIR /app
ENV TURBO_TELEMETRY_DISABLED=1
COPY . .
# Install scripts only build native add-ons and test tooling; the image needs neither.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
# Not `npm run build`: that would fetch nothing, but it would also build for whichever Node .bin holds.
RUN node_modules/.bin/turbo run build --output-logs=errors-only

# What this service needs of the monorepo, and nothing else.
FROM build AS prune
ARG SERVICE
RUN node_modules/.bin/turbo prune "@switchyard/${SERVICE}" --docker --out-dir=/pruned \
 && cd /pruned/json && find . -name package.json -not -path './package.json' -printf '%h\n' \
  | while read -r workspace; do \
      mkdir -p "/pruned/built/$workspace" \
      && cp -r "/app/$workspace/dist" "/pruned/built/$workspace/dist" \
      && for assets in public assets; do \
           if [ -d "/app/$workspace/$assets" ]; then cp -r "/app/$workspace/$assets" "/pruned/built/$workspace/$assets"; fi; \
         done; \
    done

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=prune /pruned/json/ ./
# Optional dependencies are Node itself for machines with an older one, and accelerators that change no behaviour.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim AS run
ARG SERVICE
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=prune /pruned/built ./
COPY docker/health-check.mjs /app/health-check.mjs
# The folder differs between services and tools; a link gives every image the same command.
RUN if [ -d "services/${SERVICE}" ]; then ln -s "services/${SERVICE}" main; else ln -s "tools/${SERVICE}" main; fi \
 && mkdir -p /data && chown node:node /data
USER node
VOLUME /data
ENV DATA_DIR=/data
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "/app/health-check.mjs"]
CMD ["node", "--enable-source-maps", "main/dist/main.js"]
