import { createServer, type IncomingMessage, Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import { join, relative } from "node:path";
import type { Duplex } from "node:stream";
import { setFlagsFromString } from "node:v8";
import createNext from "next";
import { trail } from "@/lib/audit/trail";
import { DEV_ISSUER_PREFIX, devIssuerCallback } from "@/lib/auth/dev-issuer";
import { fitHeap } from "@/lib/core/fit-heap";
import { logger } from "@/lib/core/logger";
import { appRoot } from "@/lib/db/app-root";
import { announceBaseUrl, baseUrl, env, exportNextAuthEnv, InvalidSettings } from "@/lib/env";
import { boot, shutdown } from "@/lib/gateway/boot";
import { CannotListen, listen, requireFree } from "@/lib/http/listen";
import { serveWithoutPages } from "@/lib/http/serve-without-pages";
import { isForTheDoor, serveDoor } from "@/lib/mcp/door/node-mount";
import { servePlainly, wantsWebSocket } from "@/lib/mcp/door/plain-upgrade";
import { endStandingStreams } from "@/lib/mcp/door/standing-streams";
import { drainSockets, endSockets, upgradeDoor } from "@/lib/mcp/door/ws-mount";
import { continueDemo, startDemo, stopDemo } from "@/prisma/seed/start-demo";

/**
 * The production entry: the agents' door in front of Next, in one process. A call through a route handler costs several
 * times what the same handler costs here.
 */
type Listener = (request: IncomingMessage, response: ServerResponse) => void;
type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
type Pages = { readonly handle: Listener; readonly upgrade: Upgrade };

const isDev = process.argv.includes("--dev");
/** Serves agents only, without the console: for processes that are added for the door's load. */
const isDoorOnly = process.argv.includes("--door-only");

// By itself the heap grows to several times what lives in it before it is swept as a whole. What both cost: docs/speed.md.
const HEAP_GROWTH = "--heap-growing-percent=40";
/** Prisma's engine is one large module of which a process needs a part: the rest is not compiled, which saves some 30 MB. */
const COMPILE_WHAT_IS_USED = "--wasm-lazy-compilation";

async function main(): Promise<void> {
  setFlagsFromString(HEAP_GROWTH);
  setFlagsFromString(COMPILE_WHAT_IS_USED);
  fitHeap(() => trail().status().openCalls);
  const startedAt = performance.now();
  const { HOST, PORT } = env();
  await requireFree(HOST, PORT);
  // Both take seconds on a fresh machine, and neither needs the other.
  const [pages] = await Promise.all([prepareNext(), boot({ seed: startDemo })]);
  const server = createServer(listener(pages.handle));
  server.on("upgrade", (request, socket, head) => {
    if (!wantsWebSocket(request)) servePlainly(server, request, socket, head);
    else if (!upgradeDoor(request, socket, head)) pages.upgrade(request, socket, head);
  });
  server.keepAliveTimeout = 65_000;
  server.headersTimeout = 30_000;
  server.requestTimeout = 120_000;
  await listen(server, HOST, PORT);
  announce(server);
  stopOnSignal(server);
  continueDemo();
  sayWhereToGo(Math.round(performance.now() - startedAt));
}

async function prepareNext(): Promise<Pages> {
  if (isDoorOnly) {
    return {
      handle: (request, response) => void serveWithoutPages(request, response),
      upgrade: (_request, socket) => void socket.destroy(),
    };
  }
  const { HOST, PORT } = env();
  exportNextAuthEnv();
  // Next would listen for upgrades on our server and end the door's sockets: it gets a server that nobody reaches.
  const app = createNext({ dev: isDev, dir: appRoot(), hostname: HOST, port: PORT, httpServer: new Server() });
  await app.prepare();
  const handle = app.getRequestHandler();
  return {
    handle(request, response) {
      nameThePeer(request);
      handle(request, response).catch((cause: unknown) => {
        logger.error({ err: cause }, "a page failed");
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
    // Only the development server has sockets of its own.
    upgrade: isDev ? upgradePages(app.getUpgradeHandler()) : (_request, socket) => void socket.destroy(),
  };
}

function upgradePages(upgrade: (...given: Parameters<Upgrade>) => Promise<void>): Upgrade {
  return (request, socket, head) => {
    upgrade(request, socket, head).catch((cause: unknown) => {
      logger.error({ err: cause }, "a page's socket failed");
      socket.destroy();
    });
  };
}

function listener(pages: Listener): Listener {
  const issuer = devIssuerCallback();
  return (request, response) => {
    const url = request.url ?? "/";
    if (isForTheDoor(url)) void serveDoor(request, response);
    else if (url === DEV_ISSUER_PREFIX || url.startsWith(`${DEV_ISSUER_PREFIX}/`)) issuer(request, response);
    else pages(request, response);
  };
}

/** Adds the address we saw ourselves as the last of X-Forwarded-For; whatever stands before it is the caller's word. */
function nameThePeer(request: IncomingMessage): void {
  const peer = request.socket.remoteAddress ?? "";
  const before = request.headers["x-forwarded-for"];
  request.headers["x-forwarded-for"] = before === undefined ? peer : `${String(before)}, ${peer}`;
}

/** With PORT=0 the address is known only now. */
function announce(server: Server): void {
  if (env().PORT !== 0) return;
  const { port } = server.address() as AddressInfo;
  announceBaseUrl(baseUrl().replace(/:0$/, `:${port}`));
  exportNextAuthEnv();
}

function stopOnSignal(server: Server): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "stopping");
    close(server).then(
      () => process.exit(0),
      (cause: unknown) => {
        logger.error({ err: cause }, "the stop was not clean");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** How long a stopping process leaves a silent connection open, so that its owner can still be told. */
const LINGER_MS = 1_000;

/**
 * Takes nothing new, lets calls in flight end, then closes what they used, the database last. A connection that is kept
 * alive may carry a request at this very moment: it is told to close with its next answer, and cut only if it is silent.
 */
async function close(server: Server): Promise<void> {
  server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
  drainSockets();
  endStandingStreams();
  // The plain close: that of the HTTP server would cut idle connections at once.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const silentFrom = Date.now() + LINGER_MS;
  const idle = setInterval(() => Date.now() >= silentFrom && server.closeIdleConnections(), 100);
  const grace = new Promise<void>((resolve) => setTimeout(resolve, env().SHUTDOWN_GRACE_MS).unref());
  await Promise.race([closed, grace]);
  clearInterval(idle);
  server.closeAllConnections();
  endSockets();
  await stopDemo();
  await shutdown();
}

function sayWhereToGo(tookMs: number): void {
  const { demo, DATA_DIR, embeddedDatabase } = env();
  const base = baseUrl();
  const lines = [
    "",
    `  Countersign is ready (${(tookMs / 1000).toFixed(1)} s)`,
    "",
    ...(isDoorOnly ? [] : [`  Console        ${base}`]),
    `  Agents' door   ${base}/api/mcp`,
    `  Database       ${embeddedDatabase ? `embedded, in ${DATA_DIR}` : "DATABASE_URL"}`,
    ...(demo
      ? [`  Demo accounts  ${relative(process.cwd(), join(DATA_DIR, "demo.json"))}  (DEMO=0 switches the demo off)`]
      : []),
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

// One request that nobody awaits must not end all others.
process.on("unhandledRejection", (cause) => logger.error({ err: cause }, "a promise was left unhandled"));

main().catch(async (cause: unknown) => {
  const isTold = cause instanceof InvalidSettings || cause instanceof CannotListen;
  const text = isTold ? cause.message : cause instanceof Error ? cause.stack : String(cause);
  process.stderr.write(`\nCountersign could not start.\n${text}\n`);
  await shutdown().catch(() => undefined);
  process.exit(1);
});
