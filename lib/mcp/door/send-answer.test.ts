import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type DoorAnswer, MAX_UNREAD_BYTES, type Write } from "@/lib/mcp/door/door-request";
import { sendAnswer, toResponse } from "@/lib/mcp/door/send-answer";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const MEGABYTE = "x".repeat(1_024 * 1_024);
/** What the platform and the other side may hold besides. */
const IN_PIPES = 24 * 1_024 * 1_024;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** One request to a server that answers with this stream; both ends of it. */
async function ask(
  body: DoorAnswer["body"],
  patienceMs?: number,
): Promise<{ client: Socket; response: ServerResponse }> {
  const server = createServer((request, answer) => {
    request.resume();
    void sendAnswer(answer, { status: 200, headers: { "content-type": "text/event-stream" }, body }, patienceMs);
    server.emit("answering", answer);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => undefined);
  ends.push(() => client.destroy());
  const answering = once(server, "answering");
  client.write("GET / HTTP/1.1\r\nhost: here\r\n\r\n");
  const [response] = (await answering) as [ServerResponse];
  return { client, response };
}

describe("a stream", () => {
  it("as a web response is cut off the same way", async () => {
    let [written, isOver] = [0, false];
    const body = async (write: Write) => {
      for (; !isOver && written < 1_000 * MEGABYTE.length; written += MEGABYTE.length) {
        write(MEGABYTE);
        await turn();
      }
    };
    const { body: stream } = toResponse({ status: 200, headers: {}, body });
    const reader = (stream as ReadableStream<Uint8Array>).getReader();
    await expect(reader.closed).rejects.toThrow("does not read");
    isOver = true;
    expect(written).toBeGreaterThan(MAX_UNREAD_BYTES);
    expect(written).toBeLessThan(MAX_UNREAD_BYTES + 3 * MEGABYTE.length);
  });

  it("to a client that does not read is cut off before it fills the memory", async () => {
    let [written, isOver] = [0, false];
    const { client, response } = await ask(async (write) => {
      for (; !isOver && written < 1_000 * MEGABYTE.length; written += MEGABYTE.length) {
        write(MEGABYTE);
        await turn();
      }
    });
    client.pause();
    await once(response, "close");
    isOver = true;
    expect(response.destroyed).toBe(true);
    expect(written).toBeGreaterThan(MAX_UNREAD_BYTES);
    expect(written).toBeLessThan(MAX_UNREAD_BYTES + IN_PIPES);
  });

  it("to a client that reads goes on, however long it gets", async () => {
    const wanted = 3 * MAX_UNREAD_BYTES;
    const { client, response } = await ask(async (write) => {
      for (let written = 0; written < wanted; written += MEGABYTE.length) {
        write(MEGABYTE);
        await turn();
      }
    });
    let read = 0;
    client.on("data", ({ length }) => {
      read += length;
    });
    await expect.poll(() => response.writableFinished, { timeout: 20_000 }).toBe(true);
    await expect.poll(() => read, { timeout: 20_000 }).toBeGreaterThanOrEqual(wanted);
  });
});

describe("a whole answer", () => {
  const large = () => Array.from({ length: 24 }, () => Buffer.from(MEGABYTE));
  const streamed = async (write: Write) => write(Buffer.concat(large()));
  const PATIENCE_MS = 400;

  it.each([
    ["at once", large],
    ["as a stream", () => streamed],
  ])("sent %s to a client that takes nothing of it is given up after a while", async (_, made) => {
    const { client, response } = await ask(made(), PATIENCE_MS);
    client.pause();
    await once(response, "close");
    expect(response.writableEnded).toBe(true);
    expect(client.bytesRead).toBeLessThan(24 * MEGABYTE.length);
  });

  it("arrives where a client takes a little now and then, however long that lasts", async () => {
    const { client, response } = await ask(large(), PATIENCE_MS);
    const since = performance.now();
    let read = 0;
    client.on("data", ({ length }) => {
      read += length;
      client.pause();
      setTimeout(() => client.resume(), length / (8 * 1_024));
    });
    await once(response, "close");
    expect(response.writableFinished).toBe(true);
    expect(performance.now() - since).toBeGreaterThan(3 * PATIENCE_MS);
    await expect.poll(() => read, { timeout: 20_000 }).toBeGreaterThan(24 * MEGABYTE.length);
  });

  it("that was taken leaves the connection as it was for the next one", async () => {
    const { client, response } = await ask(large(), PATIENCE_MS);
    client.on("data", () => undefined);
    await once(response, "finish");
    client.write("GET / HTTP/1.1\r\nhost: here\r\n\r\n");
    let isClosed = false;
    client.on("close", () => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 3 * PATIENCE_MS));
    expect(isClosed).toBe(false);
  });
});
