import { createServer, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { CannotListen, listen, requireFree } from "@/lib/http/listen";

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function serverOn(port: number): Promise<number> {
  const server = createServer();
  open.push(server);
  await listen(server, "127.0.0.1", port);
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

it("says which port is taken, and how to choose another", async () => {
  const port = await serverOn(0);
  for (const asked of [requireFree("127.0.0.1", port), serverOn(port)]) {
    const refused = await asked.catch((cause: unknown) => cause);
    expect(refused).toBeInstanceOf(CannotListen);
    expect(String(refused)).toContain(`Port ${port} on 127.0.0.1 is taken by another program`);
    expect(String(refused)).toContain(`PORT=${port + 1}`);
  }
});

it("says that an address belongs to another machine", async () => {
  await expect(requireFree("192.0.2.1", 0)).rejects.toThrow("192.0.2.1 is not an address of this machine");
});

it("leaves a port free that it asked for", async () => {
  const port = await serverOn(0);
  open.splice(0)[0]?.close();
  await requireFree("127.0.0.1", port);
  expect(await serverOn(port)).toBe(port);
});
