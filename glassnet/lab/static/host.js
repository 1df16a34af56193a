// Requests to Python, at most three unanswered, and the page's host, which sends them over a WebSocket.

const MOST_IN_FLIGHT = 3;
const FIRST_WAIT = 300;
const LONGEST_WAIT = 5000;
const CANNOT_BE_SHOWN = 4000;

/** Thrown to all who wait for an answer when the connection is lost. */
export class ConnectionLost extends Error {}

/** Numbers requests, and keeps them until fewer than three are unanswered; `send(message, data)` takes them away. */
export class Requests {
  constructor(send) {
    this.send = send;
    this.nextId = 1;
    this.queue = [];
    this.inFlight = new Map();
  }

  /** Resolves to the reply. `data`, an ArrayBuffer, goes with the message. */
  request(message, data = null) {
    return new Promise((resolve, reject) => {
      this.queue.push({ message: { id: this.nextId++, ...message }, data, resolve, reject });
      this.pump();
    });
  }

  pump() {
    while (this.queue.length && this.inFlight.size < MOST_IN_FLIGHT) {
      const request = this.queue.shift();
      this.inFlight.set(request.message.id, request);
      this.send(request.message, request.data);
    }
  }

  receive(reply) {
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
  }
}

/** Talks to one exhibit on the server; connects again, ever more slowly, when the connection is lost. */
export class SocketHost {
  /** `onopen` and `onlost` are called at every connect and loss, `onwords` with words that answer no request. */
  constructor(url, { decode, encode, onopen, onlost, onwords }) {
    Object.assign(this, { url, decode, onopen, onlost, onwords });
    this.requests = new Requests((message, data) => this.socket.send(encode(message, data)));
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

  /** Send a message; resolves to the reply. */
  request(message, data) {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.reject(new ConnectionLost());
    return this.requests.request(message, data);
  }

  receive(reply) {
    if (reply.id === null) return this.onwords(reply.error);
    this.requests.receive(reply);
  }

  lose() {
    this.requests.lose();
    this.onlost();
    setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
