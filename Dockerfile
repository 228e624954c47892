# The image of all roles: `npm run build` first. BASE_IMAGE is any image that has Node.js 24 as `node` in its PATH.
ARG BASE_IMAGE=node:24-bookworm-slim
FROM ${BASE_IMAGE}
COPY dist/ /app/
ENV NODE_ENV=production
USER 65532:65532
ENTRYPOINT ["node", "/app/main.mjs"]
