import { bus } from "@/lib/core/bus";
import { steadyClock } from "@/lib/core/clock";
import { singleton } from "@/lib/core/singleton";
import { askRedis, sharedRedis, timeOfRedis } from "@/lib/db/redis-client";
import { digestOf } from "@/lib/mcp/door/session-ids";
import { LONGEST_MS } from "@/lib/mcp/door/standing-streams";

/** A stream of a session: no message goes to several of them, so the one that was opened last is told, in whatever process. */
export type SessionStream = {
  readonly isNewest: () => boolean;
  /** Must be called when the stream is over. */
  readonly leave: () => void;
};

/** `openedAt` by Redis's clock, which all processes share; null until it is known, and where there is none. */
type Stream = { openedAt: number | null };
type Streams = {
  /** Of this process; the newest comes last. */
  readonly here: Set<Stream>;
  /** When those of all processes were opened, and until when they may be open: one whose end was not heard of ends so. */
  readonly everywhere: Map<number, number>;
};

const sessions = (): Map<string, Streams> =>
  singleton("mcp.session-streams", () => {
    const map = new Map<string, Streams>();
    bus.subscribe((message) => {
      if (message.topic !== "agent_session.streamed") return;
      const { session, openedAt, isOpen } = message;
      if (isOpen) map.get(session)?.everywhere.set(openedAt, steadyClock.now() + LONGEST_MS);
      else map.get(session)?.everywhere.delete(openedAt);
    });
    return map;
  });

/** Enters a stream that was opened just now. */
export function enterStream(owner: string): SessionStream {
  const session = digestOf(owner);
  const found = sessions().get(session);
  const { here, everywhere } = found ?? { here: new Set<Stream>(), everywhere: new Map<number, number>() };
  if (found === undefined) sessions().set(session, { here, everywhere });
  const own: Stream = { openedAt: null };
  here.add(own);

  const say = (isOpen: boolean) => {
    const { openedAt } = own;
    if (openedAt !== null) bus.publish({ topic: "agent_session.streamed", session, openedAt, isOpen });
  };
  void askRedis(timeOfRedis).then((now) => {
    if (!here.has(own)) return;
    own.openedAt = now;
    say(true);
  });
  return {
    isNewest() {
      if ([...here].at(-1) !== own) return false;
      const { openedAt } = own;
      // While Redis is away nobody hears of the others: twice is better than never.
      if (openedAt === null || sharedRedis() === null) return true;
      const now = steadyClock.now();
      return ![...everywhere].some(([other, until]) => other > openedAt && until > now);
    },
    leave() {
      say(false);
      here.delete(own);
      if (here.size === 0) sessions().delete(session);
    },
  };
}
