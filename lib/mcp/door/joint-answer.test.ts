import { expect, it } from "vitest";
import type { DoorAnswer, Text, Write } from "@/lib/mcp/door/door-request";
import { JointAnswer } from "@/lib/mcp/door/joint-answer";

const answer = (body: DoorAnswer["body"]): DoorAnswer => ({ status: 200, headers: {}, body });
const asString = (text: Text) => (typeof text === "string" ? text : Buffer.concat(text).toString("utf8"));
const bytes = (...texts: string[]) => texts.map((text) => Uint8Array.from(Buffer.from(text)));

/** Whether it has become a stream by now. */
const speaks = (joint: JointAnswer) =>
  Promise.race([joint.spoke.then(() => true), new Promise((resolve) => setImmediate(() => resolve(false)))]);

function page(): { readonly to: Write; readonly text: () => string } {
  const chunks: (string | Uint8Array)[] = [];
  return { to: (chunk) => void chunks.push(chunk), text: () => chunks.map((chunk) => Buffer.from(chunk)).join("") };
}

it("is an array in the order of the messages, of strings and of bytes", async () => {
  const joint = new JointAnswer(true);
  await joint.take(3, answer('{"id":3}'));
  await joint.take(0, answer('{"id":0}'));
  await joint.take(1, answer(null));
  expect(joint.toText()).toBe('[{"id":0},{"id":3}]');
  await joint.take(2, answer(bytes('{"id":', "2}")));
  expect(asString(joint.toText())).toBe('[{"id":0},{"id":2},{"id":3}]');
  expect(await speaks(joint)).toBe(false);
});

it("tells what was ready, what was said early and what comes later, each as an event", async () => {
  const joint = new JointAnswer(true);
  await joint.take(0, answer("first"));
  let [say, end] = [(_: string): void => undefined, (): void => undefined];
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const speaking = joint.take(
    1,
    answer((to) => {
      say = to;
      to(": early\n\n");
      return over;
    }),
  );
  expect(await speaks(joint)).toBe(true);
  const { to, text } = page();
  const telling = joint.tell(to, speaking);
  say(": later\n\n");
  await joint.take(2, answer(bytes("la", "st")));
  end();
  await telling;
  const event = (data: string) => `event: message\ndata: ${data}\n\n`;
  expect(text()).toBe(`${event("first")}: early\n\n: later\n\n${event("last")}`);
});

it("becomes a stream when more than a megabyte is ready, unless its client takes none", async () => {
  const [streaming, plain] = [new JointAnswer(true), new JointAnswer(false)];
  const half = answer("x".repeat(600_000));
  for (const joint of [streaming, plain]) await joint.take(0, half);
  expect(await speaks(streaming)).toBe(false);
  for (const joint of [streaming, plain]) await joint.take(1, half);
  expect([await speaks(streaming), await speaks(plain)]).toEqual([true, false]);
  expect(plain.keptBytes).toBe(1_200_000);
});
