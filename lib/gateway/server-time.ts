import type { ClientSide } from "@/lib/gateway/client-side";
import type { ToolCall } from "@/lib/gateway/tool-call";

/** How long a server itself takes over its last try: neither what we write before, nor the time in which a person is asked. */
export class ServerTime {
  private startedAt = 0;
  private pauses = 0;
  private pausedAt = 0;
  private pausedMs = 0;

  begin(): void {
    this.startedAt = performance.now();
    this.pausedMs = 0;
  }

  tookMs(): number {
    if (this.startedAt === 0) return 0;
    const now = performance.now();
    return now - this.startedAt - this.pausedMs - (this.pauses > 0 ? now - this.pausedAt : 0);
  }

  /** The same call, with a client whose answers are not waited for at the server's expense. */
  watch(call: ToolCall): ToolCall {
    const { client } = call;
    return client === undefined ? call : { ...call, client: this.watched(client) };
  }

  private watched(client: ClientSide): ClientSide {
    const { dialogue, spend } = client;
    const { onRequest } = dialogue;
    return {
      ...client,
      spend: spend && (() => this.without(spend)),
      dialogue: {
        ...dialogue,
        onRequest: onRequest && ((method, params) => this.without(() => onRequest(method, params))),
      },
    };
  }

  private async without<T>(work: () => Promise<T>): Promise<T> {
    if (this.pauses === 0) this.pausedAt = performance.now();
    this.pauses += 1;
    try {
      return await work();
    } finally {
      this.pauses -= 1;
      if (this.pauses === 0) this.pausedMs += performance.now() - this.pausedAt;
    }
  }
}
