import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { expect, it } from "vitest";
import { makeHome, removeDeadHomes } from "@/lib/mcp/upstream/stdio-homes";
import { buildForTest } from "@/lib/testing/bundle";

/** Programs as bad as they come: one that ignores the end of its input and every polite signal, with a child alike. */
const STUBBORN = `for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(name, () => {}); setInterval(() => {}, 1e3);`;
const SERVER = `${STUBBORN}
  const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STUBBORN)}], { stdio: "ignore" });
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method } = JSON.parse(line);
    const result = method === "initialize"
      ? { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "stubborn", version: "1" } }
      : { pids: [process.pid, child.pid], home: process.env.HOME };
    if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
  });`;

const PARENT = `
  import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
  import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
  import { startDeadline } from "@/lib/resilience/deadline";
  const endpoint = { transport: "stdio", command: "node", args: ["-e", ${JSON.stringify(SERVER)}], env: {} };
  const upstream = openUpstream(endpoint, { deadlineMs: 10000, policy: makeUpstreamPolicy() });
  const deadline = startDeadline(10000);
  const { result } = await upstream.request({ method: "tools/list", params: {}, deadline });
  process.stdout.write("SAID " + JSON.stringify(result) + "\\n");
  setInterval(() => {}, 1000);
`;

/** A process that runs; one that ended and was not collected yet does not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

it("leaves no program behind when the gateway is killed with -9", async () => {
  const { entry, remove } = await buildForTest(PARENT);
  const parent = spawn(process.execPath, [entry], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    let said = "";
    for await (const chunk of parent.stdout) {
      said += String(chunk);
      if (/SAID .*\n/.test(said)) break;
    }
    const { pids, home } = JSON.parse(/SAID (.*)\n/.exec(said)?.[1] ?? "{}") as { pids: number[]; home: string };
    expect(pids).toHaveLength(2);
    expect(pids.map(runs)).toEqual([true, true]);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    for (let tries = 0; tries < 200 && pids.some(runs); tries += 1) await new Promise((go) => setTimeout(go, 50));
    expect(pids.map(runs)).toEqual([false, false]);
    // Its home could not be removed by the dead; the next one that starts does it, and leaves those of the living alone.
    const own = makeHome();
    expect([existsSync(home), existsSync(own)]).toEqual([true, true]);
    removeDeadHomes();
    expect([existsSync(home), existsSync(own)]).toEqual([false, true]);
    rmSync(own, { recursive: true });
  } finally {
    parent.kill("SIGKILL");
    await remove();
  }
}, 60_000);
