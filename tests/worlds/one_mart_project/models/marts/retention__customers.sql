select
    customer_id,
    count(*) as orders_count,
    sum(total_amount) as net_amount,
    cast(sum(total_amount) as double) / count(*) as mean_amount
from {{ ref("fct_orders") }}
group by customer_id
