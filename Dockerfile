# One image per service from one file: `docker build --build-arg SERVICE=ingress .`
# SERVICE is the folder of a service, or "simulator".

FROM node:24-bookworm-slim AS source
WORKDIR /app
COPY . .
# What installing depends on, apart from what compiling depends on: an edit of the source installs nothing anew.
RUN mkdir /manifests \
 && find . -name package.json -not -path '*/node_modules/*' -exec cp --parents {} /manifests \; \
 && cp package-lock.json /manifests

FROM node:24-bookworm-slim AS build
WORKDIR /app
ENV TURBO_TELEMETRY_DISABLED=1
COPY --from=source /manifests ./
# Install scripts only build native add-ons and test tooling; the image needs neither.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY --from=source /app ./
# Not `npm run build`, whose set-up is for machines without the right Node.
RUN node_modules/.bin/turbo run build --output-logs=errors-only

# What this service needs of the monorepo, and nothing else. Development dependencies go first, so that neither the
# test kit nor the tools of the root count as needed.
FROM build AS prune
ARG SERVICE
COPY docker/keep-production-dependencies.mjs /
RUN node /keep-production-dependencies.mjs \
 && node_modules/.bin/turbo prune "@switchyard/${SERVICE}" --docker --out-dir=/pruned \
 && cd /pruned/json && find packages services tools -name package.json -printf '%h\n' 2> /dev/null \
  | while read -r workspace; do \
      mkdir -p "/pruned/built/$workspace"; \
      for folder in dist public assets; do \
        if [ -d "/app/$workspace/$folder" ]; then cp -r "/app/$workspace/$folder" "/pruned/built/$workspace/"; fi; \
      done; \
    done

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=prune /pruned/json/ ./
# Optional dependencies are Node itself for machines with an older one, and accelerators that change no behaviour.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --omit=dev --omit=optional --prefer-offline --no-audit --no-fund --loglevel=error

FROM node:24-bookworm-slim AS run
ARG SERVICE
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=prune /pruned/built ./
COPY docker/health-check.mjs ./
# The folder differs between services and tools; a link gives every image the same command.
# /data is for SQLite, /files for files: mount volumes there (the rest of the file system may be read-only).
RUN if [ -d "services/${SERVICE}" ]; then ln -s "services/${SERVICE}" main; else ln -s "tools/${SERVICE}" main; fi \
 && mkdir /data /files && chown node:node /data /files
USER node
ENV DATA_DIR=/data
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "/app/health-check.mjs"]
CMD ["node", "--enable-source-maps", "main/dist/main.js"]
