/**
 * A fault planted between a sidecar and its agent: everything passes but news of intentions, so the sidecar decides for ever by
 * what it heard first. Whoever watches connections must notice.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class DeafDoor {
  readonly #server: Server;
  readonly #agent: string;

  private constructor(agent: string) {
    this.#agent = agent;
    this.#server = createServer((asked, answer) => this.#pass(asked, answer));
    // News of other things may take minutes.
    this.#server.requestTimeout = 0;
  }

  /** `agent`: `http://host:port`. */
  static async open(address: string, agent: string): Promise<DeafDoor> {
    const door = new DeafDoor(agent);
    door.#server.listen(0, address);
    await once(door.#server, 'listening');
    return door;
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { pathname, searchParams } = new URL(asked.url!, this.#agent);
    if (pathname === '/v1/connect/intentions/match' && searchParams.has('index')) return;
    const { method, headers, url } = asked;
    const passed = request(new URL(url!, this.#agent), { method, headers }, (answered) => {
      answer.writeHead(answered.statusCode!, answered.headers);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  }
}
