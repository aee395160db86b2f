import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { askProcess, bundleServer, freePort, gone, memoryOf, startDoor } from "@/lib/testing/door-processes";

export type Answered = {
  /** `ok`, the code of the error, or `socket` when no answer came at all. */
  readonly code: string;
  readonly entry: string | undefined;
  readonly tookMs: number;
};

/** A gateway as a process of its own, and what can be seen of it from outside. */
export type MeasuredGateway = {
  readonly child: ChildProcess;
  readonly call: (key: string, server: string, tool: string) => Promise<Answered>;
  /** Timers and the like that keep the process awake, by kind. */
  readonly resources: () => Promise<Readonly<Record<string, number>>>;
  /** Its sockets by the port at the other end, whatever their state. */
  readonly socketsTo: () => ReadonlyMap<number, number>;
  /** Bytes that live in its heap and beside it, once the rest was collected. */
  readonly liveBytes: () => Promise<number>;
  /** The most that was resident since the last time this was asked, in bytes. */
  readonly peakBytes: () => number;
  /** Ends the connections of the callers. */
  readonly hangUp: () => void;
  readonly close: () => Promise<void>;
};

/** Answers what the process itself knows best; it listens for nothing but our question. */
const RESOURCE_PROBE = `
process.on("message", (ask) => {
  if (ask !== "resources") return;
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  process.send({ resources: counts });
});
`;
const probe = `--import=data:text/javascript,${encodeURIComponent(RESOURCE_PROBE)}`;

type Body = {
  result?: { isError?: boolean; _meta?: Record<string, unknown> };
  error?: { data?: Record<string, unknown> };
};

/** An answer beyond this is not parsed: that would hold up the other calls of this process, whose times are taken. */
const LARGE = 1_024 * 1_024;

function readAnswer(body: Buffer): Omit<Answered, "tookMs"> {
  if (body.length > LARGE) {
    // What is ours stands at the end.
    const end = body.subarray(-4_096).toString("utf8");
    return {
      code: end.includes(',"_meta":{') ? "ok" : "no end",
      entry: /"dev.countersign\/entry":"([^"]+)"/.exec(end)?.[1],
    };
  }
  const text = body.toString("utf8");
  const { result, error } = JSON.parse(text) as Body;
  const refusal = result?._meta?.["dev.countersign/error"] as { code?: string } | undefined;
  const entry = result?._meta?.["dev.countersign/entry"] ?? error?.data?.["entry"];
  const code = refusal?.code ?? error?.data?.["code"] ?? (result?.isError === true ? "is_error" : "ok");
  return { code: String(code), entry: typeof entry === "string" ? entry : undefined };
}

function post(agent: Agent, port: number, key: string, name: string): Promise<Buffer> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } });
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, method: "POST", path: "/api/mcp", agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => void chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks))).on("error", reject);
    });
    asked.setTimeout(30_000, () => asked.destroy(new Error("no answer in thirty seconds")));
    asked.on("error", reject).end(body);
  });
}

/** Which sockets of a process lead to which port on this machine, read where the kernel says so. */
function socketsOf(pid: number): ReadonlyMap<number, number> {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed since the folder was read.
    }
  }
  const found = new Map<number, number>();
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, "utf8").split("\n").slice(1)) {
    const [, , remote, , , , , , , inode] = line.trim().split(/\s+/);
    if (remote === undefined || inode === undefined || !inodes.has(inode)) continue;
    const port = Number.parseInt(remote.split(":")[1] ?? "0", 16);
    found.set(port, (found.get(port) ?? 0) + 1);
  }
  return found;
}

function peakOf(pid: number): number {
  const kilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  // Starts the mark anew from what is resident now.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return kilobytes * 1_024;
}

/** Builds `server.ts` for this test and starts it, with these settings beside its own. */
export async function startMeasuredGateway(more: Readonly<Record<string, string>> = {}): Promise<MeasuredGateway> {
  const { entry, remove } = await bundleServer();
  const port = await freePort();
  const env = { EGRESS_ALLOW: "127.0.0.0/8", REDIS_URL: "", NODE_OPTIONS: probe, ...more };
  const child = await startDoor(entry, port, { measured: true, env });
  const pid = child.pid ?? 0;
  let agent = new Agent({ keepAlive: true });
  return {
    child,
    async call(key, server, tool) {
      const since = performance.now();
      const answered = await post(agent, port, key, `${server}__${tool}`).then(readAnswer, (cause: unknown) => ({
        code: `socket: ${String(cause)}`,
        entry: undefined,
      }));
      return { ...answered, tookMs: performance.now() - since };
    },
    resources: async () =>
      (await askProcess<{ resources: Readonly<Record<string, number>> }>(child, "resources")).resources,
    socketsTo: () => socketsOf(pid),
    liveBytes: async () => (await memoryOf(child)).live,
    peakBytes: () => peakOf(pid),
    hangUp() {
      agent.destroy();
      agent = new Agent({ keepAlive: true });
    },
    async close() {
      agent.destroy();
      child.kill("SIGKILL");
      await gone(child);
      remove();
    },
  };
}
