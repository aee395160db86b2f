/** The arrows of ARCHITECTURE.md. A violation fails the build. */
const NOT_TESTS = "\\.(test|int\\.test|long\\.test)\\.tsx?$";

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      comment: "A cycle hides which file depends on which, also one of types only.",
      from: { pathNot: "^lib/generated" },
      to: { circular: true },
    },
    {
      name: "core-imports-nothing-of-ours",
      severity: "error",
      from: { path: "^lib/core/", pathNot: NOT_TESTS },
      to: { path: "^(lib|app|components)/", pathNot: "^lib/core/" },
    },
    {
      name: "resilience-is-pure",
      severity: "error",
      from: { path: "^lib/resilience/", pathNot: NOT_TESTS },
      to: { path: "^(lib|app|components)/|node_modules/(next|@prisma|pg)/", pathNot: "^lib/(core|resilience)/" },
    },
    {
      name: "db-below-the-domain",
      severity: "error",
      from: { path: "^lib/db/", pathNot: NOT_TESTS },
      to: { path: "^(lib|app|components)/", pathNot: "^lib/(core|db|generated|env\\.ts)" },
    },
    {
      name: "domain-below-the-gateway",
      severity: "error",
      from: {
        path: "^lib/(auth|access|audit|metrics|servers|agents|members|tenants|limits|kill-switches|profiles|channels|alerts)/",
        pathNot: NOT_TESTS,
      },
      to: { path: "^(lib/(gateway|mcp/door|http|client|cli)|app|components)/" },
    },
    {
      name: "channels-know-no-alerts",
      severity: "error",
      comment: "They deliver what they are told; what an alert is, they need not know.",
      from: { path: "^lib/channels/" },
      to: { path: "^lib/alerts/" },
    },
    {
      name: "upstream-is-low-level",
      severity: "error",
      from: { path: "^lib/mcp/upstream/", pathNot: NOT_TESTS },
      to: {
        path: "^(lib|app|components)/",
        pathNot: "^lib/(core|resilience|mcp/upstream)/|/schemas\\.ts$|^lib/env\\.ts$",
      },
    },
    {
      name: "telemetry-below-the-domain",
      severity: "error",
      from: { path: "^lib/telemetry/", pathNot: NOT_TESTS },
      to: {
        path: "^(lib|app|components)/",
        pathNot: "^lib/(core|telemetry|metrics)/|^lib/env\\.ts$|^lib/audit/gateway-identity\\.ts$",
      },
    },
    {
      name: "opentelemetry-only-where-it-is-told",
      severity: "error",
      from: { path: "^(lib|app|components)/|^server\\.ts$", pathNot: `^lib/(telemetry|metrics)/|${NOT_TESTS}` },
      to: { path: "node_modules/@opentelemetry/" },
    },
    {
      name: "gateway-below-the-door",
      severity: "error",
      from: { path: "^lib/gateway/", pathNot: `${NOT_TESTS}` },
      to: { path: "^(lib/(mcp/door|http|client|cli)|app|components)/" },
    },
    {
      name: "prisma-only-in-db",
      severity: "error",
      comment: "Rows are reached through inTenant and inPlatform.",
      from: { pathNot: "^lib/(db|generated|testing)/|^prisma/" },
      to: {
        path: "^lib/generated/|node_modules/(@prisma/client|@prisma/adapter-pg)/",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "pg-only-in-db",
      severity: "error",
      from: { path: "^(lib|app|components)/", pathNot: `^lib/(db|audit|testing)/|${NOT_TESTS}` },
      to: { path: "node_modules/pg/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "mcp-sdk-only-in-mcp",
      severity: "error",
      from: { path: "^(lib|app|components)/", pathNot: `^lib/(mcp|testing)/|${NOT_TESTS}` },
      to: { path: "node_modules/@modelcontextprotocol/(server|client|sdk)/" },
    },
    {
      name: "browser-side-sees-no-server",
      severity: "error",
      from: { path: "^(components|lib/client)/", pathNot: NOT_TESTS },
      to: {
        path: "^lib/",
        pathNot:
          "^lib/client/|^lib/[a-z-]+/schemas\\.ts$|^lib/core/(wire|permission|errors|plain-rules)\\.ts$|^lib/agents/connect-snippets\\.ts$",
      },
    },
    {
      name: "ui-knows-no-domain",
      severity: "error",
      from: { path: "^components/(ui|charts)/", pathNot: NOT_TESTS },
      to: { path: "^(lib|components)/", pathNot: "^components/(ui|charts)/" },
    },
    {
      name: "verifier-stands-alone",
      severity: "error",
      comment: "An auditor must be able to read and run it without our server.",
      from: { path: "^lib/audit/(verify|chain|export-lines|parse-export-line)\\.ts$" },
      to: {
        path: "^lib/",
        pathNot: "^lib/audit/(verify|chain|export-lines|parse-export-line)\\.ts$|^lib/core/canonical-json\\.ts$",
      },
    },
    { name: "routes-hold-no-rows", severity: "error", from: { path: "^app/" }, to: { path: "^lib/(db|generated)/" } },
    { name: "nobody-imports-routes", severity: "error", from: { path: "^(lib|components)/" }, to: { path: "^app/" } },
    {
      name: "tests-stay-outside",
      severity: "error",
      from: { pathNot: `${NOT_TESTS}|^lib/testing/|^e2e/|^bench/` },
      to: { path: `^lib/testing/|${NOT_TESTS}` },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules|^lib/generated" },
    exclude: { path: "^\\.next|^\\.build" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
    cache: { folder: ".build/depcruise", strategy: "content" },
  },
};
