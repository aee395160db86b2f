import { createServer, type Server } from "node:net";

/** Why nothing can be served at an address, in words for whoever started it. */
export class CannotListen extends Error {}

/** Listens. Rejects with `CannotListen` where the address cannot be had. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => reject(inWords(cause, host, port));
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

/** Rejects with `CannotListen` where `listen` would. Asked first, because opening the database and filling it takes longer. */
export async function requireFree(host: string, port: number): Promise<void> {
  const trial = createServer();
  await listen(trial, host, port);
  await new Promise<void>((resolve) => trial.close(() => resolve()));
}

function inWords(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (cause.code) {
    case "EADDRINUSE":
      return new CannotListen(
        `Port ${port} on ${host} is taken by another program. Stop it, or choose another one, for example PORT=${port + 1}.`,
      );
    case "EACCES":
      return new CannotListen(`This user may not listen on port ${port}. Choose one above 1023 with PORT.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new CannotListen(`${host} is not an address of this machine. Set HOST to one that is.`);
    default:
      return cause;
  }
}
