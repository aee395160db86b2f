import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { resetSingleton } from "@/lib/core/singleton";

/** A way to the test database, taken from now on, that can fall silent: everything stays connected, and nothing comes through. */
export async function openSilenceableWay() {
  const direct = process.env["DATABASE_URL"] ?? "";
  const { hostname, port } = new URL(direct);
  const sockets = new Set<Socket>();
  const lost: Socket[] = [];
  let isSilent = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.on("data", (data) => other.write(data));
      if (isSilent) one.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(direct);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  pointAt(url.href);
  return {
    fallSilent(silent: boolean): void {
      isSilent = silent;
      for (const socket of sockets) {
        if (silent) socket.pause();
        else socket.resume();
      }
    },
    /** What is open leads nowhere from now on, as after a failover: what is opened is served by whoever is there now. */
    loseOpen(): void {
      for (const socket of sockets) socket.pause();
      lost.push(...sockets);
      sockets.clear();
    },
    close(): void {
      for (const socket of lost) socket.destroy();
      for (const socket of sockets) socket.destroy();
      server.close();
      pointAt(direct);
    },
  };
}

function pointAt(url: string): void {
  process.env["DATABASE_URL"] = url;
  resetSingleton("env");
}
