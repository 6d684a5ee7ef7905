-- Holds requests back before anything of them reaches a server, until the second in `proc.hold_SERVICE`. aiinfra sets it
-- to a moment that is near, again and again: a hold whose command died ends by itself.
core.register_action("hold", { "http-req" }, function(txn, service)
    while (txn:get_var("proc.hold_" .. service) or 0) > core.now().sec do
        core.msleep(50)
    end
end, 1)

-- Lets a request wait while no server can take it, for five seconds at most: a container that just restarts, or that a
-- busy machine lets fail the edge's checks, is back by then.
core.register_action("wait", { "http-req" }, function(txn, backend)
    local last = core.now().sec + 5
    while txn.f:nbsrv(backend) < 1 and core.now().sec < last do
        core.msleep(50)
    end
end, 1)
