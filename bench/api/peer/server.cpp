// The peer of the api benchmark: CandidateService.GetCandidates in C++, as little work as gRPC and Redis allow. Redis
// has the finished response of each user; the bytes are sent as they come. Calls wait in completion queues, a thread
// each; one thread keeps one hiredis connection on which all reads are pipelined.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "nearline/candidates/v1/candidates.grpc.pb.h"

namespace {

using nearline::candidates::v1::CandidateService;
using nearline::candidates::v1::GetCandidatesRequest;
using Service = CandidateService::WithRawMethod_GetCandidates<CandidateService::Service>;

struct Call {
    std::unique_ptr<grpc::ServerContext> context;
    std::unique_ptr<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>> writer;
    grpc::ByteBuffer request;
    std::string key;
    grpc::ServerCompletionQueue *queue;
    bool answered;
};

class Redis {
  public:
    Redis(const char *host, int port) : wake_(eventfd(0, EFD_NONBLOCK)), epoll_(epoll_create1(0)), redis_(redisAsyncConnect(host, port)) {
        if (redis_->err) {
            std::cerr << "redis: " << redis_->errstr << "\n";
            std::exit(1);
        }
        redis_->ev.data = this;
        redis_->ev.addRead = [](void *self) { static_cast<Redis *>(self)->watch(EPOLLIN, true); };
        redis_->ev.delRead = [](void *self) { static_cast<Redis *>(self)->watch(EPOLLIN, false); };
        redis_->ev.addWrite = [](void *self) { static_cast<Redis *>(self)->watch(EPOLLOUT, true); };
        redis_->ev.delWrite = [](void *self) { static_cast<Redis *>(self)->watch(EPOLLOUT, false); };
        redis_->ev.cleanup = [](void *) {};
        epoll_event event{};
        event.data.fd = redis_->c.fd;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, redis_->c.fd, &event);
        event.events = EPOLLIN;
        event.data.fd = wake_;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
        watch(EPOLLOUT, true);
    }

    void get(Call *call) {
        bool first;
        {
            std::lock_guard<std::mutex> lock(mutex_);
            first = waiting_.empty();
            waiting_.push_back(call);
        }
        if (first) eventfd_write(wake_, 1);
    }

    void run() {
        std::vector<Call *> calls;
        epoll_event events[2];
        while (true) {
            const int count = epoll_wait(epoll_, events, 2, -1);
            for (int i = 0; i < count; i++) {
                if (events[i].data.fd == wake_) {
                    eventfd_t value;
                    eventfd_read(wake_, &value);
                    {
                        std::lock_guard<std::mutex> lock(mutex_);
                        calls.swap(waiting_);
                    }
                    for (auto *call : calls) redisAsyncCommand(redis_, on_reply, call, "GET %b", call->key.data(), call->key.size());
                    calls.clear();
                    redisAsyncHandleWrite(redis_);
                } else {
                    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) redisAsyncHandleRead(redis_);
                    if (events[i].events & EPOLLOUT) redisAsyncHandleWrite(redis_);
                }
            }
        }
    }

  private:
    void watch(uint32_t what, bool on) {
        const auto wanted = on ? watched_ | what : watched_ & ~what;
        if (wanted == watched_) return;
        watched_ = wanted;
        epoll_event event{};
        event.events = watched_;
        event.data.fd = redis_->c.fd;
        epoll_ctl(epoll_, EPOLL_CTL_MOD, redis_->c.fd, &event);
    }

    static void on_reply(redisAsyncContext *, void *answer, void *data) {
        auto *call = static_cast<Call *>(data);
        auto *reply = static_cast<redisReply *>(answer);
        call->answered = true;
        if (!reply || reply->type != REDIS_REPLY_STRING) {
            call->writer->FinishWithError(grpc::Status(reply ? grpc::StatusCode::NOT_FOUND : grpc::StatusCode::UNAVAILABLE, "no answer"), call);
            return;
        }
        grpc::Slice slice(reply->str, reply->len);
        call->writer->Finish(grpc::ByteBuffer(&slice, 1), grpc::Status::OK, call);
    }

    const int wake_, epoll_;
    redisAsyncContext *redis_;
    uint32_t watched_ = 0;
    std::mutex mutex_;
    std::vector<Call *> waiting_;
};

void listen_for(Service &service, Call *call) {
    call->context = std::make_unique<grpc::ServerContext>();
    call->writer = std::make_unique<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>>(call->context.get());
    call->request.Clear();
    call->answered = false;
    service.RequestGetCandidates(call->context.get(), &call->request, call->writer.get(), call->queue, call->queue, call);
}

void serve(Service &service, grpc::ServerCompletionQueue *queue, Redis &redis, int listening) {
    for (int i = 0; i < listening; i++) {
        auto *call = new Call();
        call->queue = queue;
        listen_for(service, call);
    }
    void *tag;
    GetCandidatesRequest request;
    for (bool ok; queue->Next(&tag, &ok);) {
        auto *call = static_cast<Call *>(tag);
        if (!ok || call->answered) {
            listen_for(service, call);
            continue;
        }
        if (!grpc::SerializationTraits<GetCandidatesRequest>::Deserialize(&call->request, &request).ok()) {
            call->answered = true;
            call->writer->FinishWithError(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not a GetCandidatesRequest"), call);
            continue;
        }
        call->key.assign("peer:").append(request.user_id()).append(":").append(request.scenario());
        redis.get(call);
    }
}

} // namespace

int main(int count, char **arguments) {
    if (count != 4) {
        std::cerr << "usage: server REDIS_HOST REDIS_PORT THREADS\n";
        return 1;
    }
    const int threads = std::atoi(arguments[3]);
    Redis redis(arguments[1], std::atoi(arguments[2]));
    Service service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
    for (int i = 0; i < threads; i++) queues.push_back(builder.AddCompletionQueue());
    const auto server = builder.BuildAndStart();
    if (!server) return 1;
    std::thread([&] { redis.run(); }).detach();
    std::vector<std::thread> serving;
    for (auto &queue : queues) serving.emplace_back([&] { serve(service, queue.get(), redis, 1024); });
    std::cout << "{\"port\":" << port << ",\"grpc\":\"" << grpc::Version() << "\"}" << std::endl;
    for (auto &thread : serving) thread.join();
}
