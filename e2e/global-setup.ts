import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeDataFolder } from "./data-folder";
import { freePort, untilReady } from "./processes";

/** The real server as `npm start` runs it, on an empty data folder and a port of its own, with the demo in it. */
export default async function setup(): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), "countersign-e2e-"));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const server = spawn(process.execPath, ["--enable-source-maps", ".build/server.js"], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      NODE_ENV: "production",
      PORT: String(port),
      DATA_DIR: dataDir,
      LOG_LEVEL: "warn",
    },
  });
  await untilReady(baseUrl, server);
  process.env["E2E_BASE_URL"] = baseUrl;
  process.env["E2E_DATA_DIR"] = dataDir;
  return async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
    await removeDataFolder(dataDir);
  };
}
