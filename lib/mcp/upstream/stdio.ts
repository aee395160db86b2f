import { type ChannelUpstreamOptions, openChannelUpstream } from "@/lib/mcp/upstream/channel-upstream";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { type StdioCommand, startStdioChild } from "@/lib/mcp/upstream/stdio-child";

export type StdioUpstreamOptions = Pick<ChannelUpstreamOptions, "deadlineMs" | "capabilities"> & {
  readonly endpoint: StdioCommand;
  readonly credential: Readonly<Record<string, string>> | undefined;
  readonly policy: UpstreamPolicy;
};

const OPEN_BRACE = 0x7b;

/** A server over the standard streams of a program that we start, and start anew when it ended. */
export const openStdioUpstream = (options: StdioUpstreamOptions): Upstream =>
  openChannelUpstream({
    ...options,
    open: ({ onMessage, onGone }) =>
      startStdioChild({
        ...options,
        onGone,
        // Some programs print to standard output by mistake; that is nobody's answer.
        onLine: (line) => (line[0] === OPEN_BRACE ? onMessage(line) : "message"),
      }),
  });
