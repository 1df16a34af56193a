// The stand-alone file's host: the replies that Python gave when the file was written, looked up.
// Read in a bundle only, in which `mount` is the exhibit's.

import { h } from "./dom.js";
import { headerButtons } from "./header.js";
import { unpack } from "./protocol.js";
import { Stage } from "./stage.js";
import { Tools } from "./tools.js";
import { texts } from "./texts.js";

const MILLISECONDS_PER_FRAME = 50;

/** Answers requests from a recording: buffers of packed replies, the first with scene and settings. */
class ReplayHost {
  constructor(buffers) {
    this.replies = buffers.map(unpack);
    this.at = 0;
  }

  async request(message) {
    switch (message.do) {
      case "open":
        this.at = 0;
        return { ...this.replies[0], complaints: [] };
      case "step":
        this.at = Math.min(this.at + 1, this.replies.length - 1);
        await new Promise((done) => setTimeout(done, MILLISECONDS_PER_FRAME / 3));
        return this.replies[this.at];
      case "seek":
        this.at = this.nearest(message.step);
        return this.replies[this.at];
      case "python":
        return { ...this.replies[this.at], python: this.replies[this.at].python };
      default:
        return { error: texts.needsPython };
    }
  }

  nearest(step) {
    const distance = ({ time }) => Math.abs((time?.step ?? 0) - step);
    return this.replies.reduce((best, reply, i) => (distance(reply) < distance(this.replies[best]) ? i : best), 0);
  }
}

/** Unpack the recording: base64 of a gzip of messages, each after its length. */
async function readRecording(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(stream).arrayBuffer();
  const buffers = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = new DataView(bytes).getUint32(at, true);
    buffers.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return buffers;
}

const { exhibit, step } = document.body.dataset;
const words = texts.exhibits[exhibit];
const replayHost = new ReplayHost(await readRecording(document.querySelector("#recording").textContent));
const replayStage = new Stage(document.querySelector("#stage"), {
  request: (message) => replayHost.request(message), mount, texts, exhibitTexts: words, onsettings: () => {}, live: false,
});
const replayTools = new Tools({ stage: replayStage, texts, name: exhibit, place: document.body });

document.title = `${words.title} \u00b7 ${texts.title}`;
document.querySelector("#title").append(h("span", { class: "year" }, words.year), h("h1", {}, words.title));
document.querySelector("#tools").append(...replayTools.buttons, ...headerButtons(texts));
document.querySelector("#recorded").append(texts.recorded);
await replayStage.open({}, Number(step));
