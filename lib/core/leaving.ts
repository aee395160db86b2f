/** Whether the one who asked has left: what our work needs of an `AbortSignal`, which is one of these. */
export type Leaving = {
  readonly aborted: boolean;
  readonly addEventListener: (event: "abort", listener: () => void, options?: { readonly once: boolean }) => void;
  readonly removeEventListener: (event: "abort", listener: () => void) => void;
};

/**
 * A caller who has not left yet. The platform's `AbortController` costs more than all of policy, and every request needs
 * one; this has no more than is used of it. Each listener is called once.
 */
export class Caller implements Leaving {
  aborted = false;
  private listeners: (() => void)[] = [];

  addEventListener(_event: "abort", listener: () => void): void {
    this.listeners.push(listener);
  }

  removeEventListener(_event: "abort", listener: () => void): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }

  /** Says that the caller has left. */
  leave(): void {
    if (this.aborted) return;
    this.aborted = true;
    // One by one: a listener may take back another one's wish.
    for (let next = this.listeners.shift(); next !== undefined; next = this.listeners.shift()) next();
  }
}
