import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeDataFolder } from "../data-folder";
import { asAgent, callTool, entryOf } from "../door";
import { type Demo, expect, test } from "../fixtures";
import { freePort, untilReady } from "../processes";

test("the door behaves the same under plain next start", async () => {
  test.setTimeout(120_000);
  const dataDir = mkdtempSync(join(tmpdir(), "countersign-next-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = spawn(
    process.execPath,
    ["node_modules/next/dist/bin/next", "start", "-p", `${port}`, "-H", "127.0.0.1"],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        NODE_ENV: "production",
        PORT: `${port}`,
        DATA_DIR: dataDir,
        LOG_LEVEL: "error",
      },
    },
  );
  try {
    await untilReady(base, server);
    const demo = JSON.parse(readFileSync(join(dataDir, "demo.json"), "utf8")) as Demo;
    const agent = demo.agents[0];
    if (!agent) throw new Error("the demo has no agent");
    await asAgent(
      agent.key,
      async (client) => {
        const names = (await client.listTools()).tools.map((tool) => tool.name);
        expect(names).toContain(agent.allowed.tool);
        expect(names).not.toContain(agent.denied.tool);
        const allowed = await callTool(client, agent.allowed.tool, agent.allowed.arguments);
        expect(allowed.isError ?? false).toBe(false);
        const denied = await callTool(client, agent.denied.tool, agent.denied.arguments);
        expect(denied.isError).toBe(true);
        expect(entryOf(allowed)).not.toBe(entryOf(denied));
      },
      { base },
    );
    const refused = await fetch(`${base}/api/mcp`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(refused.status).toBe(401);
  } finally {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
    await removeDataFolder(dataDir);
  }
});
