import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { AppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import type { Soon } from "@/lib/core/soon";
import { searchPath } from "@/lib/env";
import { unreachable } from "@/lib/mcp/upstream/faults";
import type { Heard } from "@/lib/mcp/upstream/noise";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Json } from "@/lib/mcp/upstream/protocol";
import { readInTurns } from "@/lib/mcp/upstream/read-in-turns";
import { makeHome } from "@/lib/mcp/upstream/stdio-homes";
import { keepTail, makeOutputReader } from "@/lib/mcp/upstream/stdio-output";

export type StdioCommand = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type StdioChildOptions = {
  readonly endpoint: StdioCommand;
  readonly credential: Readonly<Record<string, string>> | undefined;
  readonly policy: UpstreamPolicy;
  readonly onLine: (line: Buffer) => Soon<Heard>;
  /** Called once, when the child is gone or has to go. */
  readonly onGone: (fault: AppError) => void;
};

export type StdioChild = {
  readonly send: (message: Json) => void;
  readonly kill: () => Promise<void>;
};

const KILL_GRACE_MS = 500;
/** How long an ended program's streams may stay open: something it started may hold them. */
const DRAIN_MS = 1_000;
/** What may wait for a program that does not read. */
const MAX_UNREAD_BYTES = 16 * 1_024 * 1_024;
/** What the shell answers when there is no such program. */
const NOT_FOUND = 127;

/**
 * Becomes the program, and leaves a watchdog in its process group: a read that ends when this process is gone, even by
 * kill -9, and then takes the whole group along. The text is fixed; program and arguments are passed, never pasted.
 */
const WATCHED = `(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) </dev/null >/dev/null 2>&1 &
exec 3<&-
unset PWD OLDPWD
exec "$@"`;

/** Refuses a program that the operator did not list. Compared as written: no path may dress up as a listed name. */
export function checkProgram(command: string, policy: UpstreamPolicy): void {
  if (policy.programs.includes(command)) return;
  throw new AppError("egress_refused", `The program ${command} may not be started here.`, {
    issues: [{ path: "endpoint.command", rule: `must be one of ${policy.programs.join(", ")} (STDIO_ALLOW)` }],
  });
}

/** Only what a program needs, what the registration declares, and its own secret; nothing of ours. */
function scrubbedEnv(options: StdioChildOptions, home: string): NodeJS.ProcessEnv {
  return {
    ...options.endpoint.env,
    ...options.credential,
    PATH: searchPath(),
    HOME: home,
    LANG: "C.UTF-8",
  } as unknown as NodeJS.ProcessEnv;
}

function endOf(code: number | null, signal: NodeJS.Signals | null, stderr: string): AppError {
  if (code === NOT_FOUND) return unreachable("its program could not be started", new Error(stderr));
  return unreachable(`its program ended (${signal ?? `exit status ${code}`})`, new Error(stderr));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    // The whole group: npx and the like start the real server as a child of their own.
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** Throws where the system lets no program be started, and leaves nothing behind then. */
function spawnWatched(options: StdioChildOptions, home: string): ChildProcessWithoutNullStreams {
  const { endpoint } = options;
  // The same Node that runs us: the one found first on the path may be another.
  const program = endpoint.command === "node" ? process.execPath : endpoint.command;
  try {
    const child = spawn("/bin/sh", ["-c", WATCHED, "cs-stdio", program, ...endpoint.args], {
      cwd: home,
      env: scrubbedEnv(options, home),
      shell: false,
      detached: true,
      // The fourth is ours alone: it ends when we do, however we end.
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    // Without file descriptors there are no streams, and an event without a listener would end this process.
    child.once("error", () => undefined);
    if ((child.stdout as Readable | undefined) === undefined) throw new Error("There are no streams to it.");
    return child as ChildProcessWithoutNullStreams;
  } catch (cause) {
    rmSync(home, { recursive: true, force: true });
    throw unreachable("its program could not be started", cause);
  }
}

/** No more is read while a large message is: what waits for that would have no bound. */
function restUntil(stream: Readable, done: Promise<unknown>): void {
  stream.pause();
  void done.finally(() => stream.resume());
}

/** Starts a listed program, its command line never read by a shell, in a process group of its own, with a home that is thrown away. */
export function startStdioChild(options: StdioChildOptions): StdioChild {
  const { endpoint, onGone } = options;
  checkProgram(endpoint.command, options.policy);
  const home = makeHome();
  const child = spawnWatched(options, home);
  logger.info({ pid: child.pid, command: endpoint.command, args: endpoint.args }, "stdio server started");
  let gone = false;
  const errors = keepTail(child.stderr);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));

  const leave = (fault: AppError) => {
    if (gone) return;
    gone = true;
    signalGroup(child, "SIGTERM");
    const force = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_GRACE_MS);
    void closed.then(() => {
      clearTimeout(force);
      rmSync(home, { recursive: true, force: true });
    });
    onGone(fault);
  };

  child.on("error", (cause) => leave(unreachable("its program could not be started", cause)));
  child.on("exit", (code, signal) => {
    // Lets the watchdog go, and with it whatever of the group is left.
    child.stdio[3]?.destroy();
    const cut = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS);
    // What it said with its last breath is heard first.
    void closed.then(() => {
      clearTimeout(cut);
      if (!gone) logger.warn({ code, signal, stderr: errors() }, "stdio server ended");
      leave(endOf(code, signal, errors()));
    });
  });
  // A write to a program that is ending fails here; its exit tells the rest.
  child.stdin.on("error", () => undefined);
  child.stdio[3]?.on("error", () => undefined);
  const onLine = (line: Buffer) => {
    const heard = options.onLine(line);
    if (heard instanceof Promise) restUntil(child.stdout, heard);
    return heard;
  };
  const read = makeOutputReader({ onLine, onFault: leave });
  readInTurns(child.stdout as Socket);
  child.stdout.on("data", (chunk: Buffer) => {
    if (!gone) read(chunk);
  });
  return {
    send(message) {
      if (gone) return;
      child.stdin.write(`${JSON.stringify(message)}\n`);
      if (child.stdin.writableLength > MAX_UNREAD_BYTES)
        leave(unreachable("its program does not read what it is sent"));
    },
    async kill() {
      leave(unreachable("its connection was closed"));
      await closed;
    },
  };
}
