// The page's host: requests over a WebSocket, at most three unanswered.

const MOST_IN_FLIGHT = 3;
const FIRST_WAIT = 300;
const LONGEST_WAIT = 5000;
const CANNOT_BE_SHOWN = 4000;

/** Thrown to all who wait for an answer when the connection is lost. */
export class ConnectionLost extends Error {}

/** Talks to one exhibit on the server; connects again, ever more slowly, when the connection is lost. */
export class SocketHost {
  /** `onopen` and `onlost` are called at every connect and loss, `onwords` with words that answer no request. */
  constructor(url, { decode, onopen, onlost, onwords }) {
    Object.assign(this, { url, decode, onopen, onlost, onwords });
    this.nextId = 1;
    this.queue = [];
    this.inFlight = new Map();
    this.wait = FIRST_WAIT;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.onopen();
    };
    this.socket.onmessage = (event) => this.receive(this.decode(event.data));
    this.socket.onclose = (event) => {
      if (event.code !== CANNOT_BE_SHOWN) this.lose();
    };
  }

  /** Send a message as soon as fewer than three are unanswered; resolves to the reply. */
  request(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.reject(new ConnectionLost());
    return new Promise((resolve, reject) => {
      this.queue.push({ message: { id: this.nextId++, ...message }, resolve, reject });
      this.pump();
    });
  }

  pump() {
    while (this.queue.length && this.inFlight.size < MOST_IN_FLIGHT) {
      const request = this.queue.shift();
      this.inFlight.set(request.message.id, request);
      this.socket.send(JSON.stringify(request.message));
    }
  }

  receive(reply) {
    if (reply.id === null) return this.onwords(reply.error);
    const request = this.inFlight.get(reply.id);
    this.inFlight.delete(reply.id);
    request?.resolve(reply);
    this.pump();
  }

  lose() {
    const waiting = [...this.inFlight.values(), ...this.queue];
    this.inFlight.clear();
    this.queue = [];
    for (const { reject } of waiting) reject(new ConnectionLost());
    this.onlost();
    setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
