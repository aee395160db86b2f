import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { searchPath } from "@/lib/env";
import { serverScript } from "@/prisma/seed/demo-servers";

export type DemoHttpUpstream = {
  readonly url: string;
  /** Settles when it answers, or when it took too long. */
  readonly ready: Promise<void>;
  readonly stop: () => Promise<void>;
};

const HOST = "127.0.0.1";
/** Long: on a busy machine a Node process needs many seconds for its first answer, and a server that is given up stays a draft. */
const START_MS = 25_000;
const RESTART_MS = 2_000;

/**
 * Loaded before the published server, which would listen on every interface: keeps it on loopback, and ends it when
 * its standard input closes, which happens however this process dies.
 */
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
  import net from "node:net";
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (port, ...rest) {
    return typeof port === "object" ? listen.call(this, port, ...rest) : listen.call(this, { port: Number(port), host: "${HOST}" }, ...rest);
  };
  process.stdin.resume().on("end", () => process.exit(0)).on("error", () => process.exit(0));
`)}`;

async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const listening = (port: number) =>
    new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, HOST, () => resolve(true));
    });
  if (!(await listening(wanted))) await listening(0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The port of the last run where it is free, so that its address seldom changes. */
async function choosePort(dataDir: string): Promise<number> {
  const file = join(dataDir, "demo", "http-port");
  const last = Number(await readFile(file, "utf8").catch(() => "0"));
  const port = await freePort(Number.isInteger(last) && last > 1023 && last < 65_536 ? last : 0);
  await mkdir(join(dataDir, "demo"), { recursive: true });
  await writeFile(file, `${port}\n`);
  return port;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => resolve(false)).once("connect", () => socket.destroy());
  });

function start(port: number): ChildProcess {
  const child = spawn(process.execPath, ["--import", PRELOAD, serverScript("server-everything"), "streamableHttp"], {
    // Nothing of ours: this server shows its environment to whoever asks.
    env: { PATH: searchPath(), PORT: String(port), NODE_ENV: "production" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Its own failure to start is told by the exit.
  child.on("error", (cause) => logger.warn({ reason: cause.message }, "the demo's HTTP server could not be started"));
  child.stdin?.on("error", () => undefined);
  return child;
}

async function untilAnswered(port: number): Promise<void> {
  for (const until = Date.now() + START_MS; Date.now() < until && !(await answers(port)); ) await sleep(50);
}

async function run(dataDir: string): Promise<DemoHttpUpstream> {
  const port = await choosePort(dataDir);
  let stopped = false;
  let child = start(port);
  const watch = () => {
    child.once("exit", (code) => {
      if (stopped) return;
      logger.warn({ code }, "the demo's HTTP server ended; it is started again");
      setTimeout(() => {
        if (stopped) return;
        child = start(port);
        watch();
      }, RESTART_MS).unref();
    });
  };
  watch();
  return {
    url: `http://${HOST}:${port}/mcp`,
    ready: untilAnswered(port),
    async stop() {
      stopped = true;
      running.current = null;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await Promise.race([gone, sleep(1_000, undefined, { ref: false })]);
      child.kill("SIGKILL");
    },
  };
}

const running = singleton("demo.http-upstream", () => ({ current: null as Promise<DemoHttpUpstream> | null }));

/** Ends it where it runs. */
export async function stopDemoHttpUpstream(): Promise<void> {
  await (await running.current)?.stop();
}

/** Starts the demo's server over HTTP on a loopback port, once per process. */
export function startDemoHttpUpstream(dataDir: string): Promise<DemoHttpUpstream> {
  running.current ??= run(dataDir);
  return running.current;
}
