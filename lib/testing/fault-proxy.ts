import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { buildForTest } from "@/lib/testing/bundle";
import { gone } from "@/lib/testing/door-processes";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { makeSelfSigned } from "@/lib/testing/fault-certificate";
import { FAULT_SCRIPTS, type ScriptedFault } from "@/lib/testing/fault-scripts";

/** Besides the scripted ones: nobody listens, the process stands still, no connection is taken. */
export type Fault = ScriptedFault | "refuse" | "hang" | "blackhole";

/** Tool calls that a port was asked while it misbehaved, by tool. */
export type Asked = Readonly<Record<string, number>>;

/** `only` names the one fault that is meant; otherwise all are. */
type Order = { readonly arm?: number; readonly disarm?: true; readonly only?: Fault | undefined; readonly tell?: true };
type Report = { readonly ports?: Record<string, number>; readonly asked?: Record<string, Asked>; readonly done?: true };

type Port = { readonly fault: Fault; readonly asked: Record<string, number> };
/** Set while the ports misbehave: how long callers wait at most. */
type Mood = { deadlineMs: number | null };

const READ_ONLY = { read: { readOnlyHint: true } };

/** Everything a request says that matters here, once it has come whole. */
function readRequest(text: string): { readonly id: number; readonly tool: string | null } | null {
  const split = text.indexOf("\r\n\r\n");
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  if (split === -1 || text.length < split + 4 + length) return null;
  const { id, method, params } = JSON.parse(text.slice(split + 4, split + 4 + length) || "{}") as {
    id?: number;
    method?: string;
    params?: { name?: string };
  };
  return { id: id ?? 0, tool: method === "tools/call" ? (params?.name ?? "") : null };
}

/** Between the gateway and a real server: passes bytes on while all is well, and does as its script says when told to. */
function passOrMisbehave(client: Socket, port: Port, mood: Mood, serverPort: number): void {
  const server = connect(serverPort, "127.0.0.1");
  let heard = "";
  let ended = false;
  const end = () => {
    server.destroy();
    client.destroy();
  };
  server.on("data", (chunk) => ended || client.write(chunk)).on("error", end);
  server.on("close", () => mood.deadlineMs === null && client.destroy());
  client.on("error", () => undefined).on("close", end);
  client.on("data", (chunk: Buffer) => {
    if (mood.deadlineMs === null) return void server.write(chunk);
    ended = true;
    heard += chunk.toString("latin1");
    const request = port.fault === "tls-plain" ? { id: 0, tool: null } : readRequest(heard);
    if (request === null) return;
    heard = "";
    const { id, tool } = request;
    if (tool !== null) port.asked[tool] = (port.asked[tool] ?? 0) + 1;
    const script = port.fault in FAULT_SCRIPTS ? FAULT_SCRIPTS[port.fault as ScriptedFault] : () => undefined;
    void (script as (socket: Socket, id: number, deadlineMs: number) => unknown)(client, id, mood.deadlineMs);
  });
}

async function openPort(fault: Fault, serverPort: number) {
  const mood: Mood = { deadlineMs: null };
  const sockets = new Set<Socket>();
  const asked: Record<string, number> = {};
  const secret = fault === "tls-untrusted" ? makeSelfSigned() : null;
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    if (secret === null || mood.deadlineMs === null) return passOrMisbehave(socket, port, mood, serverPort);
    new TLSSocket(socket, { isServer: true, ...secret }).on("error", () => socket.destroy()).resume();
    socket.on("error", () => undefined);
  });
  const listen = async (number: number) => {
    // A short backlog is soon full, and then a process that stands still is a hole for packets.
    server.listen({ port: number, host: "127.0.0.1", backlog: fault === "blackhole" ? 1 : 511 });
    await once(server, "listening");
  };
  await listen(0);
  const { port: number } = server.address() as AddressInfo;
  const hangUp = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  let keeper: Socket | null = null;
  const port: Port = { fault, asked };
  return {
    ...port,
    number,
    async arm(deadlineMs: number) {
      mood.deadlineMs = deadlineMs;
      if (fault === "refuse" || fault === "blackhole") hangUp();
      if (fault !== "refuse") return;
      await new Promise((resolve) => server.close(resolve));
      // A socket that leaves from this port keeps everybody else from taking it meanwhile.
      keeper = connect({ host: "127.0.0.1", port: serverPort, localAddress: "127.0.0.1", localPort: number });
      await once(keeper, "connect");
    },
    async disarm() {
      mood.deadlineMs = null;
      hangUp();
      if (fault !== "refuse") return;
      keeper?.resetAndDestroy();
      await listen(number);
    },
  };
}

/** The process of the proxy: one port per fault, all in front of one real server. Told what to do by its parent. */
export async function serveFaults(faults: readonly Fault[]): Promise<void> {
  const upstream = await startFakeUpstream({ tools: ["do", "read"], annotations: READ_ONLY });
  const serverPort = Number(new URL(upstream.url).port);
  const ports = await Promise.all(faults.map((fault) => openPort(fault, serverPort)));
  const report = (told: Report) => void process.send?.(told);
  process.on("disconnect", () => process.exit(0));
  process.on("message", ({ arm = 0, disarm, only, tell }: Order) => {
    if (tell) return report({ asked: Object.fromEntries(ports.map(({ fault, asked }) => [fault, asked])) });
    const meant = ports.filter(({ fault }) => only === undefined || fault === only);
    void Promise.all(meant.map((port) => (disarm ? port.disarm() : port.arm(arm)))).then(() => report({ done: true }));
  });
  report({ ports: Object.fromEntries(ports.map(({ fault, number }) => [fault, number])) });
}

export type FaultProxy = {
  readonly child: ChildProcess;
  /** Where each fault will happen. */
  readonly ports: Readonly<Record<string, number>>;
  /** From now on every port misbehaves, or only one; callers wait so long at most. */
  readonly arm: (deadlineMs: number, only?: Fault) => Promise<void>;
  readonly disarm: (only?: Fault) => Promise<void>;
  readonly asked: () => Promise<Readonly<Record<string, Asked>>>;
  readonly close: () => Promise<void>;
};

/** Starts a proxy with these faults as a process of its own, so that what it does costs the test and the gateway nothing. */
export async function startFaultProxy(faults: readonly Fault[]): Promise<FaultProxy> {
  const { entry, remove } = await buildForTest(`
    import { ${serveFaults.name} } from "@/lib/testing/fault-proxy";
    await ${serveFaults.name}(${JSON.stringify(faults)});
  `);
  const child = spawn(process.execPath, [entry], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const next = (): Promise<Report> =>
    new Promise((resolve, reject) => {
      const onExit = () => reject(new Error("The fault proxy ended."));
      child.once("exit", onExit);
      child.once("message", (told) => {
        child.off("exit", onExit);
        resolve(told as Report);
      });
    });
  const order = (what: Order): Promise<Report> => {
    const told = next();
    child.send(what);
    return told;
  };
  const { ports = {} } = await next();
  return {
    child,
    ports,
    arm: async (deadlineMs, only) => void (await order({ arm: deadlineMs, only })),
    disarm: async (only) => void (await order({ disarm: true, only })),
    asked: async () => (await order({ tell: true })).asked ?? {},
    async close() {
      child.kill("SIGKILL");
      await gone(child);
      await remove();
    },
  };
}
