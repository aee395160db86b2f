import { singleton } from "@/lib/core/singleton";

const calls = singleton("gateway.calls-under-way", () => ({ now: 0 }));

/** A call has come. Whoever says so says `callEnded` too, whatever happens. */
export const callBegan = (): void => {
  calls.now += 1;
};

export const callEnded = (): void => {
  calls.now -= 1;
};

/** Calls between the door and the release of their answer, in this process. */
export const callsUnderWay = (): number => calls.now;
