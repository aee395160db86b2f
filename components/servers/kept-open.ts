import { type ServerEndpoint, type ServerView, USUAL_PROGRAMS } from "@/lib/servers/schemas";

type Transport = ServerEndpoint["transport"];

/** What is kept open to a server before a call needs it: a stdio server has programs instead of connections. */
export const keptOpenWords = (transport: Transport) =>
  transport === "stdio"
    ? {
        label: "Programs kept running",
        hint: "At most as many as may run side by side, which is one unless you allow more.",
      }
    : { label: "Warm connections", hint: "The pool grows above this under load." };

/** How many that are; of programs never more than may run side by side. */
export const keptOpen = ({
  transport,
  poolSize,
  poolLimits,
}: Pick<ServerView, "transport" | "poolSize" | "poolLimits">) =>
  transport === "stdio" ? Math.min(poolSize, poolLimits?.maxChildren ?? USUAL_PROGRAMS) : poolSize;
