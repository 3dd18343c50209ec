// The load generator of the api benchmark: unary gRPC over HTTP/2, many users, every answer compared with what is right.
//
// Reads lines: "closed IN_FLIGHT SECONDS" keeps so many calls in flight; "open RATE SECONDS" makes calls at random times
// (exponential gaps) at that rate whatever the server does, and counts latency from when a call was due, so that
// waiting behind others shows; "timeline RATE SECONDS" is the same with counts of every few milliseconds. Answers each with
// a line of JSON; times are in ms, and those of "timeline" are of CLOCK_MONOTONIC.
#include <algorithm>
#include <arpa/inet.h>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <memory>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <random>
#include <sstream>
#include <string>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr char path[] = "/nearline.candidates.v1.CandidateService/GetCandidates";
constexpr double bucket_ms = 5;
constexpr double patience_seconds = 10;

enum Outcome { good, degraded, shed, unavailable, deadline, other, wrong, lost, outcomes };
const char *const names[] = {"good", "degraded", "shed", "unavailable", "deadline", "other", "wrong", "lost"};

double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

[[noreturn]] void fail(const std::string &what) {
    std::cerr << "load: " << what << "\n";
    std::exit(1);
}

std::vector<std::string> read_parts(const std::string &file) {
    std::ifstream input(file, std::ios::binary);
    std::vector<std::string> parts;
    for (uint32_t length; input.read(reinterpret_cast<char *>(&length), sizeof length);) {
        parts.emplace_back(length, '\0');
        input.read(&parts.back()[0], length);
    }
    if (parts.empty()) fail(file + ": cannot be read");
    return parts;
}

struct Call {
    size_t user;
    double due;
    size_t sent;
    int status;
    bool http_ok;
    bool marked_degraded;
    std::string body;
};

struct Connection {
    int socket;
    nghttp2_session *session;
    std::vector<uint8_t> output;
    size_t written = 0;
    bool waits_to_write = false;
    bool dirty = false;
};

class Load {
  public:
    Load(int port, const std::string &directory, int connections)
        : requests_(read_parts(directory + "/requests.bin")), expected_(read_parts(directory + "/expected.bin")),
          fallback_(read_parts(directory + "/fallback.bin")), epoll_(epoll_create1(0)) {
        prctl(PR_SET_TIMERSLACK, 1);
        for (int i = 0; i < connections; i++) connect_to(port);
    }

    size_t users() const { return requests_.size(); }

    void run(double rate, int in_flight, double seconds, bool timeline) {
        for (auto &latencies : latencies_) latencies.clear();
        timeline_.clear();
        keeps_timeline_ = timeline;
        begin_ = now();
        end_ = begin_ + seconds;
        closed_ = in_flight > 0;
        for (int i = 0; i < in_flight; i++) start(begin_);
        std::exponential_distribution<double> gap(closed_ ? 1 : rate);
        double due = begin_ + (closed_ ? 0 : gap(random_));
        double late = 0;
        for (double time = now(); in_flight_ > 0 || time < end_; time = now()) {
            if (!closed_)
                for (; due <= time && due < end_; due += gap(random_)) {
                    late = std::max(late, time - due);
                    start(due);
                }
            if (time > end_ + patience_seconds) break;
            flush_all();
            wait(closed_ || due >= end_ ? 0.05 : due - now());
        }
        const double elapsed = closed_ ? end_ - begin_ : std::max(now(), end_) - begin_;
        if (in_flight_ > 0) fail(std::to_string(in_flight_) + " calls were not answered");
        report(elapsed, late);
    }

  private:
    void connect_to(int port) {
        auto connection = std::make_unique<Connection>();
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connection->socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(connection->socket, reinterpret_cast<sockaddr *>(&address), sizeof address)) fail("cannot connect");
        const int yes = 1;
        setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(connection->socket, F_SETFL, O_NONBLOCK);

        nghttp2_session_callbacks *callbacks;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_session_client_new(&connection->session, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
        nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 2);
        nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, 1 << 30);

        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = connection.get();
        epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->socket, &event);
        flush(*connection);
        connections_.push_back(std::move(connection));
    }

    void start(double due) {
        Call *call;
        if (free_.empty()) {
            all_.emplace_back();
            call = &all_.back();
        } else {
            call = free_.back();
            free_.pop_back();
        }
        call->user = pick_(random_) % requests_.size();
        call->due = due;
        call->sent = 0;
        call->status = -1;
        call->http_ok = call->marked_degraded = false;
        call->body.clear();

        auto &connection = *connections_[next_++ % connections_.size()];
        nghttp2_data_provider body;
        body.source.ptr = call;
        body.read_callback = read_body;
        if (nghttp2_submit_request(connection.session, nullptr, headers_, sizeof headers_ / sizeof *headers_, &body, call) < 0)
            fail("no further stream on a connection");
        connection.dirty = true;
        in_flight_++;
    }

    void finish(Call *call, uint32_t error) {
        const double time = now();
        auto outcome = error != 0 && call->status < 0 ? lost : judge(*call);
        in_flight_--;
        if (!closed_ || time < end_) {
            latencies_[outcome].push_back(static_cast<float>((time - call->due) * 1000));
            if (keeps_timeline_) {
                const size_t at = static_cast<size_t>((time - begin_) * 1000 / bucket_ms);
                if (timeline_.size() <= at) timeline_.resize(at + 1);
                timeline_[at].counts[outcome]++;
            }
        }
        free_.push_back(call);
        if (closed_ && time < end_) start(time);
    }

    Outcome judge(const Call &call) const {
        switch (call.status) {
        case 0: break;
        case 4: return deadline;
        case 8: return shed;
        case 14: return unavailable;
        default: return other;
        }
        if (!call.http_ok || call.body.size() < 5 || call.body[0] != 0) return wrong;
        if (is(call.body, expected_[2 * call.user], expected_[2 * call.user + 1])) return call.marked_degraded ? wrong : good;
        return call.marked_degraded && is(call.body, fallback_[0], fallback_[1]) ? degraded : wrong;
    }

    // Whether a gRPC frame holds the head, perhaps an age (field 5), and the tail, and nothing else.
    static bool is(const std::string &frame, const std::string &head, const std::string &tail) {
        uint32_t length;
        std::memcpy(&length, frame.data() + 1, sizeof length);
        if (ntohl(length) != frame.size() - 5 || frame.size() < 5 + head.size() + tail.size()) return false;
        if (std::memcmp(frame.data() + 5, head.data(), head.size())) return false;
        if (std::memcmp(frame.data() + frame.size() - tail.size(), tail.data(), tail.size())) return false;
        const auto *age = frame.data() + 5 + head.size();
        const size_t rest = frame.size() - 5 - head.size() - tail.size();
        return rest == 0 || (rest >= 2 && age[0] == 0x2A && static_cast<size_t>(age[1]) == rest - 2);
    }

    void flush_all() {
        for (auto &connection : connections_)
            if (connection->dirty) flush(*connection);
    }

    void flush(Connection &connection) {
        connection.dirty = false;
        while (true) {
            while (connection.output.size() < 1 << 16) {
                const uint8_t *data;
                const auto length = nghttp2_session_mem_send(connection.session, &data);
                if (length < 0) fail(nghttp2_strerror(length));
                if (length == 0) break;
                connection.output.insert(connection.output.end(), data, data + length);
            }
            if (connection.output.size() == connection.written) {
                wait_to_write(connection, false);
                return;
            }
            const auto sent = send(connection.socket, connection.output.data() + connection.written,
                                   connection.output.size() - connection.written, MSG_NOSIGNAL);
            if (sent < 0) {
                if (errno != EAGAIN) fail(std::string("send: ") + std::strerror(errno));
                wait_to_write(connection, true);
                return;
            }
            connection.written += sent;
            if (connection.written == connection.output.size()) {
                connection.output.clear();
                connection.written = 0;
            }
        }
    }

    void wait_to_write(Connection &connection, bool wait) {
        if (connection.waits_to_write == wait) return;
        connection.waits_to_write = wait;
        epoll_event event{};
        event.events = EPOLLIN | (wait ? EPOLLOUT : 0);
        event.data.ptr = &connection;
        epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
    }

    void wait(double seconds) {
        epoll_event events[64];
        timespec timeout{};
        if (seconds > 0) {
            seconds = std::min(seconds, 0.05);
            timeout.tv_nsec = static_cast<long>(seconds * 1e9);
        }
        const int count = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
        for (int i = 0; i < count; i++) {
            auto &connection = *static_cast<Connection *>(events[i].data.ptr);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
            connection.dirty = true;
        }
    }

    void receive(Connection &connection) {
        const auto length = recv(connection.socket, input_.data(), input_.size(), 0);
        if (length == 0 || (length < 0 && errno != EAGAIN)) fail("the server closed a connection");
        if (length > 0 && nghttp2_session_mem_recv(connection.session, input_.data(), length) < 0) fail("the server sent what is not HTTP/2");
    }

    void report(double elapsed, double late) {
        std::ostringstream json;
        json.precision(10);
        json << "{\"seconds\":" << elapsed << ",\"late_ms\":" << late * 1000;
        for (int o = 0; o < outcomes; o++) {
            auto &all = latencies_[o];
            std::sort(all.begin(), all.end());
            json << ",\"" << names[o] << "\":" << all.size();
            if (all.empty() || (o != good && o != shed && o != degraded)) continue;
            const auto at = [&](double share) { return all[std::min(all.size() - 1, static_cast<size_t>(std::ceil(share * all.size())) - 1)]; };
            double sum = 0;
            for (float latency : all) sum += latency;
            json << ",\"" << names[o] << "_ms\":{\"p50\":" << at(0.5) << ",\"p90\":" << at(0.9) << ",\"p99\":" << at(0.99) << ",\"p999\":" << at(0.999)
                 << ",\"max\":" << all.back() << ",\"mean\":" << sum / all.size() << "}";
        }
        if (keeps_timeline_) {
            json << ",\"begin\":" << begin_ * 1000 << ",\"bucket\":" << bucket_ms << ",\"timeline\":[";
            for (size_t i = 0; i < timeline_.size(); i++) {
                json << (i ? ",[" : "[");
                for (int o = 0; o < outcomes; o++) json << (o ? "," : "") << timeline_[i].counts[o];
                json << "]";
            }
            json << "]";
        }
        std::cout << json.str() << "}" << std::endl;
    }

    static Call *call_of(nghttp2_session *session, int32_t stream) {
        return static_cast<Call *>(nghttp2_session_get_stream_user_data(session, stream));
    }

    static ssize_t read_body(nghttp2_session *, int32_t, uint8_t *buffer, size_t length, uint32_t *flags, nghttp2_data_source *source, void *user) {
        auto *call = static_cast<Call *>(source->ptr);
        const auto &frame = static_cast<Load *>(user)->requests_[call->user];
        const auto count = std::min(length, frame.size() - call->sent);
        std::memcpy(buffer, frame.data() + call->sent, count);
        call->sent += count;
        if (call->sent == frame.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return count;
    }

    static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                         const uint8_t *value, size_t value_length, uint8_t, void *) {
        auto *call = call_of(session, frame->hd.stream_id);
        const auto named = [&](const char *text) { return name_length == std::strlen(text) && !std::memcmp(name, text, name_length); };
        if (call && named("grpc-status")) call->status = std::atoi(reinterpret_cast<const char *>(value));
        if (call && named("nl-degraded")) call->marked_degraded = true;
        if (call && named(":status")) call->http_ok = value_length == 3 && !std::memcmp(value, "200", 3);
        return 0;
    }

    static int on_data(nghttp2_session *session, uint8_t, int32_t stream, const uint8_t *data, size_t length, void *) {
        if (auto *call = call_of(session, stream)) call->body.append(reinterpret_cast<const char *>(data), length);
        return 0;
    }

    static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
        if (auto *call = call_of(session, stream)) static_cast<Load *>(user)->finish(call, error);
        return 0;
    }

    template <size_t N, size_t V> static constexpr nghttp2_nv header(const char (&name)[N], const char (&value)[V]) {
        return {(uint8_t *)name, (uint8_t *)value, N - 1, V - 1, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
    }

    struct Bucket {
        uint32_t counts[outcomes] = {};
    };

    const nghttp2_nv headers_[7] = {header(":method", "POST"), header(":scheme", "http"), header(":path", path), header(":authority", "127.0.0.1"),
                                    header("content-type", "application/grpc"), header("te", "trailers"), header("user-agent", "nearline-bench")};
    const std::vector<std::string> requests_, expected_, fallback_;
    const int epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::deque<Call> all_;
    std::vector<Call *> free_;
    std::vector<uint8_t> input_ = std::vector<uint8_t>(1 << 18);
    std::mt19937_64 random_{1};
    std::uniform_int_distribution<size_t> pick_;
    std::vector<float> latencies_[outcomes];
    std::vector<Bucket> timeline_;
    size_t next_ = 0;
    long in_flight_ = 0;
    double begin_ = 0, end_ = 0;
    bool closed_ = false, keeps_timeline_ = false;
};

} // namespace

int main(int count, char **arguments) {
    if (count != 4) fail("usage: load PORT DIRECTORY CONNECTIONS");
    Load load(std::atoi(arguments[1]), arguments[2], std::atoi(arguments[3]));
    std::cout << "{\"users\":" << load.users() << "}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string command;
        double amount, seconds;
        if (!(words >> command >> amount >> seconds)) fail("input: '" + line + "'; must be closed, open or timeline, a number and seconds");
        if (command == "closed")
            load.run(0, static_cast<int>(amount), seconds, false);
        else if (command == "open" || command == "timeline")
            load.run(amount, 0, seconds, command == "timeline");
        else
            fail("input: '" + line + "'; must be closed, open or timeline, a number and seconds");
    }
}
