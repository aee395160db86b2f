import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startDeadline } from "@/lib/resilience/deadline";
import { startPausableDeadline } from "@/lib/resilience/pausable-deadline";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("stands while a person is waited for, and gives the server its whole time again", async () => {
  const outer = startDeadline(60_000);
  const deadline = startPausableDeadline(100, outer);
  vi.advanceTimersByTime(90);
  const paused = deadline.pausedFor(() => new Promise((resolve) => setTimeout(resolve, 5_000)));
  await vi.advanceTimersByTimeAsync(5_000);
  await paused;
  expect(deadline.stopped()).toBeNull();
  vi.advanceTimersByTime(99);
  expect(deadline.stopped()).toBeNull();
  vi.advanceTimersByTime(2);
  expect(deadline.stopped()).toBe("timeout");
});

it("ends with the deadline around it, also while it stands", async () => {
  const caller = new AbortController();
  const outer = startDeadline(60_000, caller.signal);
  const deadline = startPausableDeadline(100, outer);
  const heard: unknown[] = [];
  deadline.onStop(() => heard.push(deadline.stopped()));
  void deadline.pausedFor(() => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(heard).toEqual([]);
  caller.abort();
  expect(heard).toEqual(["cancelled"]);
});

it("leaves no timer behind", async () => {
  const outer = startDeadline(60_000);
  const deadline = startPausableDeadline(100, outer);
  const paused = deadline.pausedFor(() => new Promise<void>((resolve) => setTimeout(resolve, 10)));
  deadline.release();
  outer.release();
  await vi.advanceTimersByTimeAsync(10);
  await paused;
  expect(vi.getTimerCount()).toBe(0);
});
