#include "src/replay_frame.h"
#include "src/replay_wires.h"

namespace sallyport {
namespace {

using dataplane::Packet;

// One of the two, a frame ahead.
class Wire {
 public:
  Wire(CaptureReader& capture, dataplane::PortIndex port, const ReplaySetup& setup)
      : capture_(capture),
        port_(port),
        loader_(false, setup.settings.ports[port].vlan),
        has_frame_(capture.next(frame_)) {}

  [[nodiscard]] bool has_frame() const noexcept { return has_frame_; }
  [[nodiscard]] dataplane::Instant time_ns() const noexcept { return frame_.time_ns; }
  [[nodiscard]] const UnknownLinkTypes& unknown_link_types() const noexcept { return loader_.unknown_link_types(); }

  void send(ReplayEngine& engine) {
    engine.bring_to(frame_.time_ns);
    Packet packet;
    if (engine.take_buffer(packet)) {
      if (loader_.load(frame_, packet)) {
        engine.process(port_, packet);
      } else {
        engine.drop(packet, dataplane::Drop::not_ip);
      }
    }
    has_frame_ = capture_.next(frame_);
  }

 private:
  CaptureReader& capture_;
  dataplane::PortIndex port_;
  FrameLoader loader_;
  CapturedFrame frame_;
  bool has_frame_;
};

}  // namespace

UnknownLinkTypes replay_two_wires(CaptureReader& inside, CaptureReader& outside, ReplayEngine& engine,
                                  const ReplaySetup& setup) {
  Wire in(inside, setup.inside, setup);
  Wire out(outside, setup.outside, setup);
  while (in.has_frame() || out.has_frame()) {
    const bool inside_first = in.has_frame() && (!out.has_frame() || in.time_ns() <= out.time_ns());
    (inside_first ? in : out).send(engine);
  }
  UnknownLinkTypes unknown = in.unknown_link_types();
  unknown.insert(out.unknown_link_types().begin(), out.unknown_link_types().end());
  return unknown;
}

}  // namespace sallyport
