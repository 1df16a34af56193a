// Drives TensorFlow Playground's nn.ts: node playground.mjs MODULE. The first line of standard input is the
// task; each further line asks for one training from the same start and is answered by the weights.
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const nn = await import(pathToFileURL(process.argv[2]));

function build({ sizes, weights }) {
  const inputs = Array.from({ length: sizes[0] }, (_, i) => `x${i}`);
  const network = nn.buildNetwork(sizes, nn.Activations.TANH, nn.Activations.LINEAR, null, inputs);
  network.slice(1).forEach((layer, l) =>
    layer.forEach((node, o) => {
      node.bias = weights[l][1][o];
      node.inputLinks.forEach((link, i) => (link.weight = weights[l][0][i][o]));
    }),
  );
  return network;
}

// as the Playground's own oneStep: a step of the weights after each batch
function train(task) {
  const network = build(task);
  for (let epoch = 0; epoch < task.epochs; epoch++) {
    task.X.forEach((x, i) => {
      nn.forwardProp(network, x);
      nn.backProp(network, task.T[i], nn.Errors.SQUARE);
      if ((i + 1) % task.batch === 0) nn.updateWeights(network, task.rate, 0);
    });
  }
  return network.slice(1).map((layer) => [
    layer[0].inputLinks.map((_, i) => layer.map((node) => node.inputLinks[i].weight)),
    layer.map((node) => node.bias),
  ]);
}

let task = null;
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (task === null) task = JSON.parse(line);
  else console.log(JSON.stringify(train(task)));
}
