{{ config(unique_key="order_id", incremental_strategy="delete+insert") }}
with
    new_loads as (
        select load_id, load_seq
        from {{ source("raw", "loads") }}
        where
            feed = 'orders'
            {% if is_incremental() %}
                and load_seq > (select coalesce(max(_load_seq), 0) from {{ this }})
            {% endif %}
    ),

    versions as (
        select
            orders.*,
            new_loads.load_seq as _load_seq,
            row_number() over (partition by order_id order by new_loads.load_seq desc) as place
        from {{ source("raw", "orders") }} as orders
        inner join new_loads on orders.load_id = new_loads.load_id
        where orders.load_id in (select load_id from new_loads)
    ),

    final as (select * from versions where place = 1)

select *
from final
