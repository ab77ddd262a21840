with
    placed as (
        select
            *,
            row_number() over (
                partition by customer_key
                -- what the customer said, even some time ago, before what peers suggest
                order by
                    case
                        when wallet_method in ('stated', 'allocation rule')
                        then 0
                        else 1
                    end,
                    period_start_date desc,
                    own_amount desc,
                    md5(wallet_key)
            ) as recency
        from {{ ref("fct_customer_wallets") }}
        where period_grain = 'quarter' and wallet_method is not null
    ),

    final as (select * from placed where recency = 1)

select *
from final
