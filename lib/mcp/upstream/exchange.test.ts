import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import { afterEach, expect, it, vi } from "vitest";
import type { AppError } from "@/lib/core/errors";
import { resetSingleton } from "@/lib/core/singleton";
import { exchange } from "@/lib/mcp/upstream/exchange";
import { startDeadline } from "@/lib/resilience/deadline";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** One connection to a server that answers when it is told to. */
async function startOneLine() {
  const asked: string[] = [];
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    waiting.push(response);
    request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
  closers.push(
    () => server.close(),
    () => pool.destroy(),
  );
  const line = { waiting: 0 };
  const ask = (path: string) => {
    const deadline = startDeadline(20_000);
    const answer = exchange(pool, { line, path, headers: {}, body: "{}", deadline, onEvent: () => false });
    return { deadline, answer: answer.finally(() => deadline.release()) };
  };
  const answerNext = () => waiting.shift()?.end("{}");
  return { asked, line, ask, answerNext };
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end && !holds(); ) await new Promise((go) => setTimeout(go, 5));
}

it("never sends what was given up while it waited for a connection, and counts who waits", async () => {
  const { asked, line, ask, answerNext } = await startOneLine();
  const first = ask("/first");
  await until(() => asked.length === 1);
  const second = ask("/second");
  expect(line.waiting).toBe(1);
  second.deadline.kill();
  await expect(second.answer).rejects.toMatchObject({ code: "killed" });
  expect(line.waiting).toBe(0);
  const third = ask("/third");
  answerNext();
  await expect(first.answer).resolves.toMatchObject({ status: 200 });
  await until(() => asked.length === 2);
  answerNext();
  await third.answer;
  expect(asked).toEqual(["/first", "/third"]);
  expect(line.waiting).toBe(0);
});

it("gives back the memory that was promised to a large answer, however that ends", async () => {
  vi.stubEnv("ANSWER_MEMORY_MB", "32");
  for (const name of ["env", "upstream.answer-memory"]) resetSingleton(name);
  closers.push(() => {
    vi.unstubAllEnvs();
    for (const name of ["env", "upstream.answer-memory"]) resetSingleton(name);
  });
  const server = createServer((request, response) => {
    request.resume();
    // Of unannounced length, so that all that an answer may have is promised to it.
    response.write(Buffer.alloc(400_000, "x"));
    if (request.url === "/ends") response.end();
    if (request.url === "/breaks") setTimeout(() => response.destroy(), 20);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closers.push(
    () => server.close(),
    () => pool.destroy(),
  );
  const ask = async (path: string) => {
    const deadline = startDeadline(path === "/hangs" ? 100 : 10_000);
    const asked = exchange(pool, { path, headers: {}, body: "{}", deadline, onEvent: () => false });
    return asked
      .then(
        ({ bytes }) => bytes,
        (cause: AppError) => cause.code,
      )
      .finally(() => deadline.release());
  };
  for (let turn = 0; turn < 5; turn += 1) {
    expect(await ask("/ends")).toBe(400_000);
    expect(await ask("/breaks")).toBe("upstream_protocol");
    expect(await ask("/hangs")).toBe("upstream_timeout");
  }
  expect(await ask("/ends")).toBe(400_000);
});
