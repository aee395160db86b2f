import { expect, it, vi } from "vitest";
import { AppError } from "@/lib/core/errors";
import type { Grant } from "@/lib/gateway/authorize";
import { findHeldCall } from "@/lib/gateway/held-calls/find-held-call";
import { isHeldState, type Unresumed } from "@/lib/gateway/held-calls/held-call";
import { holdCall, type Speak } from "@/lib/gateway/held-calls/hold-call";
import { startDeadline } from "@/lib/resilience/deadline";

const grant = (actor: string, tool = "ask", { tenantId = "tenant", serverId = "server" } = {}) =>
  ({
    identity: { tenantId, actor: { id: actor } },
    server: { id: serverId },
    ref: { server: "s", tool },
  }) as unknown as Grant;
const gateway = { inFlight: { enter: () => () => undefined, size: () => 0, close: () => undefined } };

/** A server that asks once, and answers with what it heard. */
const asks: Speak = async ({ dialogue }) => {
  const heard = await dialogue.onRequest?.("elicitation/create", { message: "Sure?" });
  return { result: { heard }, bytes: 1 };
};

it("is found again by whoever began it, for the tool that it is of, and by nobody else", async () => {
  const outer = startDeadline(10_000);
  const { result } = await holdCall(gateway, grant("ann"), asks).next(outer, {});
  const state = result["requestState"];
  if (!isHeldState(state)) throw new Error("that is no state of ours");
  await expect(findHeldCall(state, grant("bob"))).rejects.toThrow("is over");
  await expect(findHeldCall(state, grant("ann", "drop"))).rejects.toThrow("is over");
  const going = await findHeldCall(state, grant("ann"));
  going.answer({ "question-1": { action: "accept" } });
  expect((await going.next(outer, {})).result).toEqual({ heard: { action: "accept" } });
  await expect(findHeldCall(state, grant("ann"))).rejects.toThrow("is over");
  outer.release();
});

it("ends when the caller leaves while it listens, and not when it leaves after it was asked", async () => {
  const left = new AbortController();
  const leaves = startDeadline(10_000, left.signal);
  const until: Speak = ({ deadline }) =>
    new Promise((_resolve, reject) => deadline.onStop(() => reject(new Error(String(deadline.stopped())))));
  const waiting = holdCall(gateway, grant("ann"), until).next(leaves, {});
  left.abort();
  await expect(waiting).rejects.toThrow("cancelled");

  const first = new AbortController();
  const away = startDeadline(10_000, first.signal);
  const { result } = await holdCall(gateway, grant("ann"), asks).next(away, {});
  first.abort();
  const back = startDeadline(10_000);
  const going = await findHeldCall(String(result["requestState"]), grant("ann"));
  going.answer({ "question-1": { action: "decline" } });
  expect((await going.next(back, {})).result).toEqual({ heard: { action: "decline" } });
  for (const deadline of [leaves, away, back]) deadline.release();
});

it("asks again for what it got no answer to, also for what the server asked while the client was away", async () => {
  let askSecond: () => void = () => undefined;
  const asksTwo: Speak = async ({ dialogue }) => {
    const first = dialogue.onRequest?.("elicitation/create", { message: "One?" });
    const second = new Promise<void>((resolve) => (askSecond = resolve)).then(() =>
      dialogue.onRequest?.("elicitation/create", { message: "Two?" }),
    );
    return { result: { heard: await Promise.all([first, second]) }, bytes: 1 };
  };
  const outer = startDeadline(10_000);
  const { result } = await holdCall(gateway, grant("ann"), asksTwo).next(outer, {});
  expect(Object.keys(result["inputRequests"] as object)).toEqual(["question-1"]);
  askSecond();
  await Promise.resolve();
  const back = async (inputResponses: unknown) => {
    const going = await findHeldCall(String(result["requestState"]), grant("ann"));
    going.answer(inputResponses);
    return (await going.next(outer, {})).result;
  };
  expect((await back({ "question-1": { n: 1 } }))["inputRequests"]).toEqual({
    "question-2": { method: "elicitation/create", params: { message: "Two?" } },
  });
  expect(Object.keys((await back({}))["inputRequests"] as object)).toEqual(["question-2"]);
  expect(await back({ "question-2": { n: 2 } })).toEqual({ heard: [{ n: 1 }, { n: 2 }] });
  outer.release();
});

it("ends with the cause that ended the wait for it", async () => {
  const causeOf: Speak = ({ deadline }) =>
    new Promise((_resolve, reject) => deadline.onStop(() => reject(new Error(String(deadline.stopped())))));
  for (const cause of ["timeout", "killed", "cancelled"] as const) {
    const outer = startDeadline(cause === "timeout" ? 5 : 10_000);
    const waiting = holdCall(gateway, grant("ann"), causeOf).next(outer, {});
    if (cause !== "timeout") outer.stop(cause);
    await expect(waiting).rejects.toThrow(cause);
    outer.release();
  }
});

it("leaves room for other tenants however many calls one of them has waiting at however many servers", async () => {
  const outer = startDeadline(10_000);
  const hold = (tenantId: string, serverId: string) =>
    holdCall(gateway, grant("ann", "ask", { tenantId, serverId }), asks).next(outer, {});
  const many = Array.from({ length: 300 }, (_, nth) => hold("greedy", `server-${nth % 30}`));
  const ends = await Promise.allSettled(many);
  const waiting = ends.flatMap((end) => (end.status === "fulfilled" ? [String(end.value.result["requestState"])] : []));
  expect(waiting.length).toBe(64);
  expect(ends.find((end) => end.status === "rejected")?.reason).toMatchObject({ code: "overloaded" });
  expect(isHeldState((await hold("modest", "server"))?.result["requestState"])).toBe(true);
  for (const [nth, state] of waiting.entries()) {
    const of = { tenantId: "greedy", serverId: `server-${nth % 30}` };
    const going = await findHeldCall(state, grant("ann", "ask", of));
    going.answer({ "question-1": {} });
    await going.next(outer, {});
  }
  outer.release();
});

it("keeps what its server answered without waiting any longer until its client comes back, and gives it once", async () => {
  let goOn: () => void = () => undefined;
  const impatient: Speak = async ({ dialogue }) => {
    void dialogue.onRequest?.("elicitation/create", { message: "Sure?" });
    await new Promise<void>((resolve) => (goOn = resolve));
    return { result: { did: "it" }, bytes: 1 };
  };
  const outer = startDeadline(10_000);
  const { result } = await holdCall(gateway, grant("ann"), impatient).next(outer, {});
  goOn();
  await new Promise((resolve) => setTimeout(resolve, 10));
  const going = await findHeldCall(String(result["requestState"]), grant("ann"));
  going.answer({ "question-1": { action: "accept" } });
  expect((await going.next(outer, {})).result).toEqual({ did: "it" });
  await expect(findHeldCall(String(result["requestState"]), grant("ann"))).rejects.toThrow("is over");
  outer.release();
});

it("tells once how it ended where no call of its client's says so, and under which call the client left", async () => {
  vi.useFakeTimers();
  const told: Unresumed[] = [];
  const outer = startDeadline(3_600_000);
  const begin = (speak: Speak) => holdCall(gateway, grant("ann"), speak, (how) => told.push(how));
  const fails: Speak = async ({ dialogue }) => {
    void dialogue.onRequest?.("elicitation/create", {})?.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    throw new AppError("upstream_unreachable", "It is gone.");
  };
  const goesOn: Speak = async ({ dialogue }) => {
    void dialogue.onRequest?.("elicitation/create", {})?.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return { result: { did: "it" }, bytes: 1 };
  };
  const asked = await begin(asks).next(outer, { callId: "first" });
  const back = async (inputResponses: object, callId: string) => {
    const going = await findHeldCall(String(asked.result["requestState"]), grant("ann"));
    going.answer(inputResponses);
    return going.next(outer, { callId });
  };
  await back({}, "second");
  await begin(fails).next(outer, { callId: "third" });
  await begin(goesOn).next(outer, { callId: "fourth" });
  await vi.advanceTimersByTimeAsync(9.9 * 60_000);
  expect(told).toMatchObject([{ callId: "third", cause: null, end: { error: { code: "upstream_unreachable" } } }]);
  await vi.advanceTimersByTimeAsync(60_000);
  const rest = told.slice(1).sort((a, b) => (a.callId ?? "").localeCompare(b.callId ?? ""));
  expect(rest).toMatchObject([
    { callId: "fourth", cause: null, end: { answer: { result: { did: "it" } } } },
    { callId: "second", cause: "timeout" },
  ]);
  expect(rest[1]?.heldMs).toBeCloseTo(600_000, -3);

  // The control: where the client comes back, its own call says how it ended.
  told.length = 0;
  const { result } = await begin(asks).next(outer, { callId: "fifth" });
  const going = await findHeldCall(String(result["requestState"]), grant("ann"));
  going.answer({ "question-1": { action: "accept" } });
  await going.next(outer, { callId: "sixth" });
  const left = startDeadline(10_000);
  const hangs: Speak = ({ deadline }) =>
    new Promise((_resolve, reject) => deadline.onStop(() => reject(new Error("stopped"))));
  const waiting = expect(begin(hangs).next(left, { callId: "seventh" })).rejects.toThrow("stopped");
  left.stop("cancelled");
  await waiting;
  await vi.advanceTimersByTimeAsync(11 * 60_000);
  expect(told).toEqual([]);
  for (const deadline of [outer, left]) deadline.release();
  vi.useRealTimers();
});

it("keeps no such answer where it is large, nor longer than it is held", async () => {
  vi.useFakeTimers();
  const outer = startDeadline(10_000);
  const asked = async (bytes: number) => {
    let goOn: () => void = () => undefined;
    const impatient: Speak = async ({ dialogue }) => {
      void dialogue.onRequest?.("elicitation/create", { message: "Sure?" });
      await new Promise<void>((resolve) => (goOn = resolve));
      return { result: {}, bytes };
    };
    const { result } = await holdCall(gateway, grant("ann"), impatient).next(outer, {});
    goOn();
    await vi.advanceTimersByTimeAsync(0);
    return () => findHeldCall(String(result["requestState"]), grant("ann"));
  };
  const [large, small] = [await asked(300_000), await asked(100)];
  await expect(large()).rejects.toThrow("is over");
  await vi.advanceTimersByTimeAsync(9 * 60_000);
  await expect(small()).resolves.toBeDefined();
  await vi.advanceTimersByTimeAsync(61_000);
  await expect(small()).rejects.toThrow("is over");
  outer.release();
  vi.useRealTimers();
});
