import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { probeUpstream } from "@/lib/mcp/upstream/probe-upstream";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import { stdioProgram } from "@/lib/testing/fault-program";

const policy = makeUpstreamPolicy();
const open: Upstream[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

function start(on: string, credential?: Record<string, string>): Upstream {
  const args = ["-e", stdioProgram(on)];
  const upstream = openUpstream(
    { transport: "stdio", command: "node", args, env: {} },
    { credential, deadlineMs: 3_000, policy },
  );
  open.push(upstream);
  return upstream;
}

async function call(upstream: Upstream, name: string, deadlineMs = 3_000) {
  const deadline = startDeadline(deadlineMs);
  try {
    return (await upstream.request({ method: "tools/call", params: { name, arguments: {} }, deadline })).result;
  } finally {
    deadline.release();
  }
}
const codeOf = (work: Promise<unknown>) =>
  work.then(String, (cause) => (isAppError(cause) ? cause.code : String(cause)));

describe("an upstream over standard streams", () => {
  it("probes a real server from npm", async () => {
    const entry = import.meta.resolve("@modelcontextprotocol/server-memory/dist/index.js");
    const args = [new URL(entry).pathname];
    const probe = await probeUpstream({ transport: "stdio", command: "node", args, env: {} }, undefined, { policy });
    expect(probe).toMatchObject({ ok: true, era: "legacy", serverName: "memory-server" });
    expect(probe.tools.map((tool) => tool.name)).toContain("read_graph");
  });

  it("gives the program its own secret and nothing of our environment", async () => {
    const upstream = start("() => ({ env: process.env })", { API_TOKEN: "s3cret" });
    const { env } = (await call(upstream, "env")) as { env: Record<string, string> };
    expect(Object.keys(env).sort()).toEqual(["API_TOKEN", "HOME", "LANG", "PATH"]);
    expect(env["HOME"]).toContain("cs-stdio-");
  });

  it("refuses programs that are not listed, however they are spelt", async () => {
    for (const command of ["bash", "/bin/sh", "./node", "../node", "node ", "sh -c node"]) {
      const { error } = await probeUpstream({ transport: "stdio", command, args: [], env: {} }, undefined, { policy });
      expect(error?.code).toBe("egress_refused");
    }
  });

  it("is unreachable where its program cannot be started, leaves nothing behind, and is tried again", async () => {
    const homes = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`cs-stdio-${process.pid}.`)).length;
    const before = homes();
    const args = ["-e", "x".repeat(4 * 1_024 * 1_024)];
    const upstream = openUpstream(
      { transport: "stdio", command: "node", args, env: {} },
      { deadlineMs: 3_000, policy },
    );
    open.push(upstream);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await codeOf(call(upstream, "any"))).toBe("upstream_unreachable");
    }
    expect(homes()).toBe(before);
  });

  it("answers calls side by side, fails those in flight when the program ends, and starts it anew", async () => {
    const upstream = start(
      "(m, write) => { const t = m.params.name; if (t === 'die') process.exit(7); if (t === 'late') { setTimeout(() => write({ id: m.id, result: { t } }), 150); return } if (t !== 'hang') return { t } }",
    );
    const [late, now] = await Promise.all([call(upstream, "late"), call(upstream, "now")]);
    expect([late, now]).toEqual([{ t: "late" }, { t: "now" }]);
    const hanging = codeOf(call(upstream, "hang"));
    expect(await codeOf(call(upstream, "die"))).toBe("upstream_unreachable");
    expect(await hanging).toBe("upstream_unreachable");
    expect(await call(upstream, "again")).toEqual({ t: "again" });
    expect(await codeOf(call(upstream, "hang", 100))).toBe("upstream_timeout");
    expect(await call(upstream, "still")).toEqual({ t: "still" });
  });

  it("passes over noise, and ends a program whose line is too long", async () => {
    const noisy = start("(m) => { console.log('debug: hello'); return {} }");
    expect(await call(noisy, "x")).toEqual({});
    const endless = start("() => { process.stdout.write('{' + 'x'.repeat(11 * 1024 * 1024)) }");
    expect(await codeOf(call(endless, "x"))).toBe("upstream_protocol");
  });
});
