// Runs signatures of a SavedModel through the loader that TensorFlow Serving uses.
//
//   reader MODEL FOLDER
//
// FOLDER/SIGNATURE/INPUT.pb are serialized TensorProtos; FOLDER/SIGNATURE/OUTPUT.out.pb are written. A signature that
// fails is told on standard output, one line each, and the others still run.

#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor.pb.h"
#include "tensorflow/core/platform/env.h"

namespace fs = std::filesystem;
using tensorflow::Env;
using tensorflow::Tensor;
using tensorflow::TensorProto;

absl::Status RunSignature(const tensorflow::SavedModelBundle& bundle, const tensorflow::SignatureDef& signature,
                          const fs::path& folder) {
  std::vector<std::pair<std::string, Tensor>> inputs;
  for (const auto& [name, info] : signature.inputs()) {
    TensorProto proto;
    TF_RETURN_IF_ERROR(tensorflow::ReadBinaryProto(Env::Default(), folder / (name + ".pb"), &proto));
    Tensor tensor;
    if (!tensor.FromProto(proto)) return absl::InvalidArgumentError("broken tensor " + name);
    inputs.emplace_back(info.name(), tensor);
  }
  std::vector<std::string> names, fetches;
  for (const auto& [name, info] : signature.outputs()) {
    names.push_back(name);
    fetches.push_back(info.name());
  }
  std::vector<Tensor> outputs;
  TF_RETURN_IF_ERROR(bundle.GetSession()->Run(inputs, fetches, {}, &outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    TensorProto proto;
    outputs[i].AsProtoField(&proto);
    TF_RETURN_IF_ERROR(tensorflow::WriteBinaryProto(Env::Default(), folder / (names[i] + ".out.pb"), proto));
  }
  return absl::OkStatus();
}

int main(int argc, char** argv) {
  tensorflow::SavedModelBundle bundle;
  const auto loaded = tensorflow::LoadSavedModel(tensorflow::SessionOptions(), tensorflow::RunOptions(), argv[1],
                                                 {"serve"}, &bundle);
  if (!loaded.ok()) {
    std::cout << loaded.ToString() << std::endl;
    return 2;
  }
  // A look-up by name would hash with this program's seed, not the library's.
  for (const auto& [name, signature] : bundle.GetSignatures()) {
    const fs::path folder = fs::path(argv[2]) / name;
    if (!fs::exists(folder)) continue;
    const absl::Status status = RunSignature(bundle, signature, folder);
    std::string message(status.message());
    for (char& c : message) c = c == '\n' ? ' ' : c;
    if (!status.ok()) std::cout << name << ": " << message << std::endl;
  }
}
