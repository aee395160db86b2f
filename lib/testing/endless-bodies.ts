import type { ServerResponse } from "node:http";

const CHUNK = Buffer.alloc(1024 * 1024, 0x20);

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A hundred megabytes, as fast as they are taken. */
export async function pour(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  for (let megabyte = 0; megabyte < 100 && !response.destroyed; megabyte += 1) {
    if (!response.write(CHUNK))
      await Promise.race([new Promise((resolve) => response.once("drain", resolve)), pause(500)]);
  }
  response.end();
}

/** One byte now and then, without an end. */
export async function drip(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  while (!response.destroyed) {
    response.write(" ");
    await pause(20);
  }
}
