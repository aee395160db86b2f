import { isAppError } from "@/lib/core/errors";
import { type OpenChannel, type Session, startSession } from "@/lib/mcp/upstream/channel-session";
import { unreachable } from "@/lib/mcp/upstream/faults";
import { followEach, isAskedFor } from "@/lib/mcp/upstream/follow";
import { greetingOf } from "@/lib/mcp/upstream/messages";
import {
  CLIENT_INFO,
  type Greeting,
  type Json,
  LEGACY_VERSIONS,
  type ListenRequest,
  type Notice,
  type Upstream,
} from "@/lib/mcp/upstream/protocol";
import { untilStopped } from "@/lib/mcp/upstream/until-stopped";
import { type Deadline, startDeadline } from "@/lib/resilience/deadline";

export type ChannelUpstreamOptions = {
  readonly open: OpenChannel;
  /** For agreeing on a version, which no single caller's deadline may cut short for the others. */
  readonly deadlineMs: number;
  /** What the clients behind this connection can do when the server asks. */
  readonly capabilities?: Json;
};

/** How long a server that let a call run out of time has to answer a ping before its connection is opened anew. */
const PING_MS = 5_000;

async function agree(session: Session, deadline: Deadline, capabilities: Json): Promise<Greeting> {
  const params = { protocolVersion: LEGACY_VERSIONS[0], capabilities, clientInfo: CLIENT_INFO };
  try {
    const { result } = await session.ask("initialize", params, deadline);
    session.tell("notifications/initialized", {});
    return greetingOf(result, "legacy");
  } catch (cause) {
    // Servers that speak only the stateless revision refuse `initialize`; nearly all others know nothing else.
    if (!isAppError(cause) || typeof cause.detail["rpcCode"] !== "number") throw cause;
    const { result } = await session.ask("server/discover", {}, deadline, { modern: true });
    return greetingOf(result, "modern");
  }
}

type OnNotice = (notice: Notice) => void;
type Running = {
  readonly session: Session;
  readonly greeting: Greeting;
  /** Called when the connection is gone. */
  readonly leaving: Set<() => void>;
};

/** A server over one connection that carries everything, opened when it is first needed and again when it is gone. */
export function openChannelUpstream(options: ChannelUpstreamOptions): Upstream {
  const capabilities = options.capabilities ?? {};
  const listeners = new Set<OnNotice>();
  let running: Promise<Running> | null = null;
  let current: Session | null = null;
  let closed = false;
  let [created, requests] = [0, 0];

  async function start(): Promise<Running> {
    const deadline = startDeadline(options.deadlineMs);
    const onNotice: OnNotice = (notice) => {
      for (const tell of listeners) tell(notice);
    };
    const leaving = new Set<() => void>();
    let session: Session | null = null;
    try {
      session = startSession(sayingSo(options.open, leaving), onNotice);
      created += 1;
      current = session;
      return { session, leaving, greeting: await agree(session, deadline, capabilities) };
    } catch (cause) {
      if (current === session) running = null;
      await session?.end();
      throw cause;
    } finally {
      deadline.release();
    }
  }

  function started(): Promise<Running> {
    const mine = start();
    // What cannot even be opened fails before anybody could note that it was begun.
    mine.catch(() => {
      if (running === mine) running = null;
    });
    return mine;
  }

  async function ready(deadline: Deadline): Promise<Running> {
    if (closed) throw unreachable("its connection was closed");
    if (current?.isGone() === true) running = null;
    running ??= started();
    return untilStopped(running, deadline);
  }

  return {
    greet: async (deadline) => (await ready(deadline)).greeting,
    async request({ method, params, deadline, onProgress, dialogue, trace, passesOn }) {
      requests += 1;
      const { session, greeting } = await ready(deadline);
      try {
        const modern = greeting.era === "modern";
        const extra = { modern, passesOn, onProgress, dialogue, capabilities, trace };
        return await session.ask(method, params, deadline, extra);
      } catch (cause) {
        if (isAppError(cause) && cause.code === "upstream_timeout") void endIfHung(session);
        throw cause;
      }
    },
    listen: async (request) => hearOver(await ready(request.deadline), request, listeners),
    keepWarm(count) {
      // One connection carries everything. One that fails is not tried again: the next call will say what is wrong.
      if (count === 0 || closed) return;
      running ??= started();
      running.catch(() => undefined);
    },
    async close() {
      closed = true;
      await current?.end();
    },
    connections() {
      const open = current !== null && !current.isGone() ? 1 : 0;
      return { open, created, reused: Math.max(0, requests - created) };
    },
  };
}

/** Calls those who leave with the connection when it is gone. */
const sayingSo =
  (open: OpenChannel, leaving: ReadonlySet<() => void>): OpenChannel =>
  (events) =>
    open({
      ...events,
      onGone(fault) {
        events.onGone(fault);
        for (const leave of [...leaving]) leave();
      },
    });

/** Hears what was asked for until the server ends it, the connection is gone or nobody listens any more. */
async function hearOver(running: Running, request: ListenRequest, listeners: Set<OnNotice>): Promise<void> {
  const { filter, deadline, onNotice } = request;
  const { session } = running;
  const tell: OnNotice = (notice) => {
    if (isAskedFor(filter, notice)) onNotice(notice);
  };
  listeners.add(tell);
  try {
    if (running.greeting.era === "modern") {
      await session.ask("subscriptions/listen", { notifications: filter }, deadline, { modern: true });
    } else {
      await followEach(filter, deadline, (params, answer) => session.ask("resources/subscribe", params, answer));
      await untilGone(running, deadline);
    }
  } catch (cause) {
    if (deadline.stopped() === null) throw cause;
  } finally {
    listeners.delete(tell);
  }
}

const untilGone = ({ session, leaving }: Running, deadline: Deadline): Promise<void> =>
  new Promise((resolve) => {
    const leave = () => {
      leaving.delete(leave);
      forget();
      resolve();
    };
    const forget = deadline.onStop(leave);
    leaving.add(leave);
    if (session.isGone() || deadline.stopped() !== null) leave();
  });

/** A server that does not even answer a ping hangs: its connection is ended, so that the next call meets a fresh one. */
async function endIfHung(session: Session): Promise<void> {
  const deadline = startDeadline(PING_MS);
  try {
    await session.ask("ping", {}, deadline);
  } catch (cause) {
    if (isAppError(cause) && cause.code === "upstream_timeout") await session.end();
  } finally {
    deadline.release();
  }
}
