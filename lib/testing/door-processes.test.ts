import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { askProcess } from "@/lib/testing/door-processes";

/** A process that answers each question in the next turn, unless it is over by then. */
function startFake(answers = true) {
  const child = new EventEmitter();
  const send = (question: string, sent: (cause: null) => void) => {
    sent(null);
    setImmediate(() => (answers ? child.emit("message", { question }) : child.emit("exit", 1)));
  };
  const listening = () => child.listenerCount("exit") + child.listenerCount("message");
  return { child: Object.assign(child, { send }) as unknown as ChildProcess, listening };
}

it("leaves no listener behind, however often a process is asked", async () => {
  const { child, listening } = startFake();
  for (let asked = 0; asked < 20; asked += 1)
    expect(await askProcess(child, `question ${asked}`)).toEqual({ question: `question ${asked}` });
  expect(listening()).toBe(0);
});

it("says so where a process ends instead, and leaves no listener behind", async () => {
  const { child, listening } = startFake(false);
  await expect(askProcess(child, "memory")).rejects.toThrow("ended before it answered: memory");
  expect(listening()).toBe(0);
});
